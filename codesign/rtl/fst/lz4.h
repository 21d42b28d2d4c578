// The part of LZ4 that Verilator's waveform writer calls, so that a waveform needs no library.
//
// Writes one LZ4 block: the plain greedy search of the format's description, a table of where each
// hash of four bytes was seen last.
#ifndef CODESIGN_FST_LZ4_H
#define CODESIGN_FST_LZ4_H
#include <cstdint>
#include <cstring>
#include <vector>

static inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

namespace codesign_lz4 {
// A length of which `nibble` holds up to 15: the rest in bytes, each 255 but the last.
static inline uint8_t* put_length(uint8_t* out, int length) {
    for (length -= 15; length >= 255; length -= 255) *out++ = 255;
    *out++ = static_cast<uint8_t>(length);
    return out;
}

// Literals, then (where `match` is not 0) a match of that many bytes at `distance`.
static inline uint8_t* put_sequence(uint8_t* out, const uint8_t* literals, int count, int distance,
                                    int match) {
    const int rest = match ? match - 4 : 0;
    *out++ = static_cast<uint8_t>((count < 15 ? count : 15) << 4 | (rest < 15 ? rest : 15));
    if (count >= 15) out = put_length(out, count);
    std::memcpy(out, literals, count);
    out += count;
    if (!match) return out;
    *out++ = static_cast<uint8_t>(distance);
    *out++ = static_cast<uint8_t>(distance >> 8);
    return rest >= 15 ? put_length(out, rest) : out;
}
}  // namespace codesign_lz4

static inline int LZ4_compress_default(const char* source, char* target, int size, int) {
    const uint8_t* const in = reinterpret_cast<const uint8_t*>(source);
    uint8_t* out = reinterpret_cast<uint8_t*>(target);
    std::vector<int> seen(1 << 12, -1);
    int literals = 0;
    // the last 12 bytes begin no match, and no match reaches into the last 5: rules of the format
    for (int at = 0; at + 12 < size;) {
        uint32_t four;
        std::memcpy(&four, in + at, 4);
        int& place = seen[four * 2654435761U >> 20];
        const int before = place;
        place = at;
        if (before < 0 || at - before > 0xFFFF || std::memcmp(in + before, in + at, 4)) {
            ++at;
            continue;
        }
        int match = 4;
        while (at + match < size - 5 && in[before + match] == in[at + match]) ++match;
        out = codesign_lz4::put_sequence(out, in + literals, at - literals, at - before, match);
        literals = at += match;
    }
    out = codesign_lz4::put_sequence(out, in + literals, size - literals, 0, 0);
    return static_cast<int>(out - reinterpret_cast<uint8_t*>(target));
}
#endif
