// Reads the files of the vectors folder: hexadecimal numbers of equal width, one a line, as $readmemh takes them.
// "@N" goes to word N; what no line gives is 0. Words become bytes, the lowest first.
#ifndef HEX_FILE_H
#define HEX_FILE_H

#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

// A fault of the files ends the program: there is nothing to test without them.
[[noreturn]] inline void hex_fault(const std::string& path, std::size_t line, const std::string& what) {
    std::fprintf(stderr, "%s:%zu: %s\n", path.c_str(), line, what.c_str());
    std::exit(2);
}

inline unsigned hex_digit(const std::string& path, std::size_t line, char digit) {
    if (digit >= '0' && digit <= '9') return static_cast<unsigned>(digit - '0');
    if (digit >= 'a' && digit <= 'f') return static_cast<unsigned>(digit - 'a') + 10;
    hex_fault(path, line, std::string("got \"") + digit + "\", expected a digit 0-9 or a-f");
}

// The bytes of a file whose words have `word_bytes` bytes; at most `bytes` of them, and exactly `bytes` are returned.
inline std::vector<std::uint8_t> read_hex(const std::string& path, std::size_t word_bytes, std::size_t bytes) {
    std::ifstream file(path);
    if (!file) hex_fault(path, 0, "cannot be opened");
    std::vector<std::uint8_t> image(bytes, 0);
    std::string text;
    std::size_t line = 0, word = 0;
    while (std::getline(file, text)) {
        ++line;
        if (text.empty() || text[0] == '/') continue;
        if (text[0] == '@') {
            word = std::strtoull(text.c_str() + 1, nullptr, 16);
            continue;
        }
        if (text.size() != 2 * word_bytes) hex_fault(path, line, "expected " + std::to_string(2 * word_bytes) + " digits");
        if ((word + 1) * word_bytes > bytes) hex_fault(path, line, "lies beyond " + std::to_string(bytes) + " bytes");
        for (std::size_t byte = 0; byte < word_bytes; ++byte) {
            const std::size_t at = 2 * (word_bytes - 1 - byte);
            const unsigned value = 16 * hex_digit(path, line, text[at]) + hex_digit(path, line, text[at + 1]);
            image[word * word_bytes + byte] = static_cast<std::uint8_t>(value);
        }
        ++word;
    }
    return image;
}

#endif
