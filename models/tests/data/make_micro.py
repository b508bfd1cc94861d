"""Makes the files of this folder: micro models in Hugging Face and GGUF layout with logits, blocks of every GGUF type, a small tokenizer.

Everything expected is computed here by other libraries or by the plain numpy below, which shares no code with the crate.
Needs: numpy, safetensors, gguf, tokenizers.   usage: python3 make_micro.py (in this folder)
"""
import json, pathlib
import numpy as np
from gguf import GGUFWriter, GGMLQuantizationType as Q, quants
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, decoders, trainers

rng = np.random.default_rng(7)
H, HEADS, KV, D, FFN, V, LAYERS, CTX, EPS, THETA = 32, 4, 2, 8, 48, 64, 2, 64, 1e-5, 10000.0
TOKENS = [3, 1, 41, 59, 26, 53, 58, 9, 7, 9, 32, 3]

def f16(*shape, scale=0.3):
    return (rng.standard_normal(shape) * scale).astype(np.float16)

def weights(kind):
    w = {"model.embed_tokens.weight": f16(V, H, scale=1), "model.norm.weight": f16(H) + np.float16(1), "lm_head.weight": f16(V, H)}
    for l in range(LAYERS):
        p = f"model.layers.{l}."
        for n in ("input_layernorm", "post_attention_layernorm"): w[p + n + ".weight"] = f16(H) + np.float16(1)
        for n, o, i in (("q", HEADS * D, H), ("k", KV * D, H), ("v", KV * D, H), ("o", H, HEADS * D)):
            w[p + f"self_attn.{n}_proj.weight"] = f16(o, i)
            if kind == "qwen2" and n != "o": w[p + f"self_attn.{n}_proj.bias"] = f16(o)
        if kind == "qwen3":
            for n in "qk": w[p + f"self_attn.{n}_norm.weight"] = f16(D) + np.float16(1)
        if kind == "mixtral":
            w[p + "block_sparse_moe.gate.weight"] = f16(4, H)
            for e in range(4):
                for n, o, i in (("w1", FFN, H), ("w2", H, FFN), ("w3", FFN, H)): w[p + f"block_sparse_moe.experts.{e}.{n}.weight"] = f16(o, i)
        else:
            for n, o, i in (("gate", FFN, H), ("up", FFN, H), ("down", H, FFN)): w[p + f"mlp.{n}_proj.weight"] = f16(o, i)
    return w

def frequencies(scaling):  # case by case, as `apply_scaling` of Meta's llama-models (llama3/model.py)
    out = []
    for i in range(0, D, 2):
        f = THETA ** (-i / D); wave = 2 * np.pi / f
        if scaling is None: pass
        elif scaling["rope_type"] == "linear": f /= scaling["factor"]
        else:
            factor, low, high, old = (scaling[k] for k in ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"))
            if wave > old / low: f /= factor
            elif wave >= old / high: s = (old / wave - low) / (high - low); f = (1 - s) * f / factor + s * f
        out.append(f)
    return np.array(out)

def logits(w, kind, window=None, scaling=None):
    w = {k: v.astype(np.float64) for k, v in w.items()}; T = len(TOKENS)
    rms = lambda x, g: g * x / np.sqrt((x * x).mean(-1, keepdims=True) + EPS)
    silu = lambda x: x / (1 + np.exp(-x))
    angle = np.arange(T)[:, None] * frequencies(scaling)[None]; c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    rope = lambda v: np.concatenate([v[..., :D // 2] * c - v[..., D // 2:] * s, v[..., D // 2:] * c + v[..., :D // 2] * s], -1)
    x = w["model.embed_tokens.weight"][TOKENS]
    i, j = np.arange(T)[:, None], np.arange(T)[None]; seen = (j <= i) & ((i - j < window) if window else True)
    for l in range(LAYERS):
        p = f"model.layers.{l}."; h = rms(x, w[p + "input_layernorm.weight"])
        proj = lambda n: h @ w[p + f"self_attn.{n}_proj.weight"].T + w.get(p + f"self_attn.{n}_proj.bias", 0)
        q, k, v = proj("q").reshape(T, HEADS, D), proj("k").reshape(T, KV, D), proj("v").reshape(T, KV, D)
        if kind == "qwen3": q, k = rms(q, w[p + "self_attn.q_norm.weight"]), rms(k, w[p + "self_attn.k_norm.weight"])
        q, k, v = rope(q), rope(k).repeat(HEADS // KV, 1), v.repeat(HEADS // KV, 1)
        a = np.where(seen, np.einsum("qhd,khd->hqk", q, k) / np.sqrt(D), -np.inf); a = np.exp(a - a.max(-1, keepdims=True)); a /= a.sum(-1, keepdims=True)
        x = x + np.einsum("hqk,khd->qhd", a, v).reshape(T, -1) @ w[p + "self_attn.o_proj.weight"].T
        h = rms(x, w[p + "post_attention_layernorm.weight"])
        if kind == "mixtral":
            g = np.exp(h @ w[p + "block_sparse_moe.gate.weight"].T); g /= g.sum(-1, keepdims=True)
            for t in range(T):
                top = np.argsort(-g[t])[:2]
                for e in top:
                    m = lambda n: w[p + f"block_sparse_moe.experts.{e}.{n}.weight"]
                    x[t] += g[t, e] / g[t, top].sum() * (m("w2") @ (silu(m("w1") @ h[t]) * (m("w3") @ h[t])))
        else: x = x + (silu(h @ w[p + "mlp.gate_proj.weight"].T) * (h @ w[p + "mlp.up_proj.weight"].T)) @ w[p + "mlp.down_proj.weight"].T
    return (rms(x, w["model.norm.weight"]) @ w["lm_head.weight"].T).astype(np.float32)

def permute(w, heads):  # as llama.cpp's convert_hf_to_gguf.py
    return np.ascontiguousarray(w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape))

def gguf(path, w, arch, experts):
    g = GGUFWriter(path, arch)
    g.add_block_count(LAYERS); g.add_context_length(CTX); g.add_embedding_length(H); g.add_feed_forward_length(FFN); g.add_head_count(HEADS); g.add_head_count_kv(KV)
    g.add_layer_norm_rms_eps(EPS); g.add_rope_freq_base(THETA); g.add_rope_dimension_count(D)
    if experts: g.add_expert_count(4); g.add_expert_used_count(2)
    names = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
             "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "block_sparse_moe.gate": "ffn_gate_inp"}
    outer = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
    for k, v in w.items():
        if "experts" in k: continue
        if k in outer: n = outer[k]
        else:
            _, _, l, rest = k.split(".", 3); stem, param = rest.rsplit(".", 1); n = f"blk.{l}.{names[stem]}.{param}"
            if arch == "llama" and stem.endswith(("q_proj", "k_proj")): v = permute(v, HEADS if "q_proj" in stem else KV)
        g.add_tensor(n, v if v.ndim > 1 else v.astype(np.float32))
    if experts:
        for l in range(LAYERS):
            for n, m in (("gate", "w1"), ("down", "w2"), ("up", "w3")):
                g.add_tensor(f"blk.{l}.ffn_{n}_exps.weight", np.stack([w[f"model.layers.{l}.block_sparse_moe.experts.{e}.{m}.weight"] for e in range(4)]))
    g.write_header_to_file(); g.write_kv_data_to_file(); g.write_tensors_to_file(); g.close()

base = dict(hidden_size=H, intermediate_size=FFN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=KV, vocab_size=V, max_position_embeddings=CTX, rms_norm_eps=EPS, rope_theta=THETA, hidden_act="silu", tie_word_embeddings=False)
kinds = {"llama": ("LlamaForCausalLM", {}), "qwen2": ("Qwen2ForCausalLM", dict(use_sliding_window=False, sliding_window=32768)), "qwen3": ("Qwen3ForCausalLM", dict(head_dim=D)),
         "mistral": ("MistralForCausalLM", dict(sliding_window=4)), "mixtral": ("MixtralForCausalLM", dict(num_local_experts=4, num_experts_per_tok=2))}
for kind, (name, more) in kinds.items():
    d = pathlib.Path(f"micro-{kind}"); d.mkdir(exist_ok=True); w = weights(kind)
    (d / "config.json").write_text(json.dumps(dict(architectures=[name], **base, **more), indent=1))
    if kind == "mixtral":  # in two shards with an index
        cut = sorted(w)[: len(w) // 2]; names = {k: f"model-0000{1 if k in cut else 2}-of-00002.safetensors" for k in sorted(w)}
        for f in sorted(set(names.values())): save_file({k: v for k, v in w.items() if names[k] == f}, d / f)
        (d / "model.safetensors.index.json").write_text(json.dumps(dict(metadata={}, weight_map=names), indent=1))
    else: save_file(w, d / "model.safetensors")
    (d / "expected.json").write_text(json.dumps(dict(tokens=TOKENS, logits=[[round(float(v), 5) for v in row] for row in logits(w, kind, 4 if kind == "mistral" else None)])))
    if kind in ("llama", "qwen2", "mixtral"): gguf(f"micro-{kind}.gguf", w, "qwen2" if kind == "qwen2" else "llama", kind == "mixtral")

g, expected = GGUFWriter("blocks.gguf", "llama"), {}
for t in (Q.F32, Q.F16, Q.BF16, Q.Q8_0, Q.Q4_0, Q.Q4_1, Q.Q4_K, Q.Q6_K):
    if t in (Q.Q4_K, Q.Q6_K):  # random codes under ordinary scales: gguf-py widens these types and does not make them
        raw = rng.integers(0, 256, (2, 2 * (144 if t == Q.Q4_K else 210)), dtype=np.uint8)
        for row in raw:
            for b in range(2):
                at = b * 144 if t == Q.Q4_K else b * 210 + 208
                row[at:at + 2] = np.frombuffer(np.float16(rng.uniform(0.001, 0.02)).tobytes(), np.uint8)
                if t == Q.Q4_K: row[at + 2:at + 4] = np.frombuffer(np.float16(rng.uniform(0.001, 0.02)).tobytes(), np.uint8)
    else: raw = quants.quantize(rng.standard_normal((2, 512)).astype(np.float32), t)
    g.add_tensor(t.name, raw, raw_dtype=t); expected[t.name] = quants.dequantize(raw, t).astype(np.float32)
g.add_array("some.numbers", [1, 2, 3]); g.add_array("some.texts", ["a", "b"]); g.add_array("some.flags", [True, False]); g.add_bool("a.flag", True)
g.write_header_to_file(); g.write_kv_data_to_file(); g.write_tensors_to_file(); g.close(); save_file(expected, "blocks.safetensors")

text = open("../../corpora/tinyshakespeare.heldout.txt").read()[:30000]
cases = ["Hello, world!  It's 2026\n\n  tabs\tand   spaces ", "naïve café — ☃ 雪が降る", "x=12345; y = foo(bar)[3]  // 'll 're's", "don't DON'T we'll", "  leading and trailing  ", "\u00a0nbsp\u2003em", "١٢٣ ½ Ⅷ", "किताब हिन्दी", "a\r\n\r\nb", "🙂🙂 emoji🙂", "<|end|>x<|end|><|end|>", "", text[1000:2500]]
t = Tokenizer(models.BPE()); t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]); t.decoder = decoders.ByteLevel()
t.train_from_iterator([text], trainers.BpeTrainer(vocab_size=600, special_tokens=["<|end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
t.save("small_bpe.tokenizer.json", pretty=False)
json.dump([[c, t.encode(c).ids] for c in cases], open("small_bpe.cases.json", "w"))

# Stretched positions; drawn last, so that the files above do not depend on them.
w = weights("llama")
for kind, scaling in (("llama3", dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)), ("linear", dict(rope_type="linear", factor=4.0))):
    d = pathlib.Path(f"micro-{kind}"); d.mkdir(exist_ok=True); save_file(w, d / "model.safetensors")
    (d / "config.json").write_text(json.dumps(dict(architectures=["LlamaForCausalLM"], **base, rope_scaling=scaling), indent=1))
    (d / "expected.json").write_text(json.dumps(dict(tokens=TOKENS, frequencies=list(frequencies(scaling)), logits=[[round(float(v), 5) for v in row] for row in logits(w, "llama", scaling=scaling)])))
