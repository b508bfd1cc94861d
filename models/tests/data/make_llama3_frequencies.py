"""Prints what `tests/files.rs` holds the rotary frequencies of `llama-3.1-8b/config.json` to, in double precision and in
the form that Hugging Face transformers gives the formula (`_compute_llama3_parameters`, modeling_rope_utils.py): whole
arrays and `where`. Needs: numpy.   usage: python3 make_llama3_frequencies.py (in this folder)
"""
import json
import numpy as np

config = json.load(open("llama-3.1-8b/config.json"))
rope, width = config["rope_scaling"], config["head_dim"]
factor, low, high, old = (rope[k] for k in ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"))
inv_freq = 1.0 / config["rope_theta"] ** (np.arange(0, width, 2) / width)
wavelen = 2 * np.pi / inv_freq
scaled = np.where(wavelen > old / low, inv_freq / factor, inv_freq)
smooth = (old / wavelen - low) / (high - low)
medium = ~(wavelen < old / high) & ~(wavelen > old / low)
scaled = np.where(medium, (1 - smooth) * scaled / factor + smooth * scaled, scaled)
print("between short and long:", np.flatnonzero(medium).tolist())
for i in (0, 1, 28, 29, 30, 34, 35, 63):
    print(f"({i}, {scaled[i]:.12e}),")
