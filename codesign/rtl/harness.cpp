// harness.cpp: drives the ports of codesign_accelerator, a clock cycle at a time, for ctypes.
//
// A cycle is: inputs set, clock low, outputs read (they are what the rising edge will see), clock
// high. Both streams work in every cycle, whatever the caller waits for, so that a beat is never
// missed. Nothing here knows a register.
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "Vaccelerator.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

namespace {

// Cycles after which a register access without an answer is given up.
constexpr int PATIENCE = 1000;

enum Response { OKAY = 0, NO_ANSWER = -1 };

// xorshift64*: a stream of its own for each machine, the same on every computer.
struct Random {
    uint64_t state = 1;
    bool below(uint32_t of_256) {
        if (!of_256) return false;
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return (state * 2685821657736338717ULL >> 56) < of_256;
    }
};

// Stops in a row that a stream makes where asked to: gaps of the source, back-pressure of the sink.
struct Source {
    std::vector<uint8_t> bytes;
    int64_t words = 0, at = 0, last = -1;
    bool offered = false;
    uint32_t gaps = 0;
};

struct Sink {
    std::vector<uint8_t> bytes;
    std::vector<uint8_t> lasts;
    uint32_t gaps = 0;
    bool held = false;  // a beat was offered and not taken in the cycle before
    std::vector<uint8_t> held_bytes;
    bool held_last = false;
    int64_t broken = 0;  // beats that were taken back or changed while they were held
};

struct Machine {
    VerilatedContext context;
    std::unique_ptr<Vaccelerator> top;
#if VM_TRACE
    std::unique_ptr<VerilatedFstC> wave;
    bool waving = false;
#endif
    uint64_t cycles = 0;
    size_t beat;  // bytes of a stream word
    Random random;
    Source source;
    Sink sink;
    // what the last rising edge saw
    bool address_written = false, data_written = false, answered = false, address_read = false,
         data_read = false;
    int response = OKAY;
    uint32_t data = 0;

    Machine(size_t beat_bytes, uint32_t seed) : beat{beat_bytes} {
        // registers that reset leaves alone, and memories, begin with random bits
        context.randReset(2);
        context.randSeed(static_cast<int>(seed));
        context.traceEverOn(true);
        top = std::make_unique<Vaccelerator>(&context, "accelerator");
        random.state = 0x9E3779B97F4A7C15ULL ^ seed;
        sink.held_bytes.resize(beat);
    }

    ~Machine() {
#if VM_TRACE
        if (wave) wave->close();
#endif
        top->final();
    }

    void dump(int half) {
#if VM_TRACE
        if (waving) wave->dump(2 * cycles + half);
#endif
        (void)half;
    }

    void offer() {
        if (!source.offered && source.at < source.words && !random.below(source.gaps)) {
            source.offered = true;
            std::memcpy(&top->s_axis_tdata, source.bytes.data() + source.at * beat, beat);
            top->s_axis_tlast = source.at == source.last;
        }
        top->s_axis_tvalid = source.offered;
        top->m_axis_tready = !random.below(sink.gaps);
    }

    void take() {
        const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(&top->m_axis_tdata);
        if (sink.held && (!top->m_axis_tvalid || top->m_axis_tlast != sink.held_last ||
                          std::memcmp(bytes, sink.held_bytes.data(), beat)))
            ++sink.broken;
        sink.held = top->m_axis_tvalid && !top->m_axis_tready;
        if (!top->m_axis_tvalid) return;
        if (sink.held) {
            std::memcpy(sink.held_bytes.data(), bytes, beat);
            sink.held_last = top->m_axis_tlast;
            return;
        }
        sink.bytes.insert(sink.bytes.end(), bytes, bytes + beat);
        sink.lasts.push_back(top->m_axis_tlast);
    }

    void cycle() {
        offer();
        top->clk_i = 0;
        top->eval();
        dump(0);
        address_written = top->s_axil_awvalid && top->s_axil_awready;
        data_written = top->s_axil_wvalid && top->s_axil_wready;
        answered = top->s_axil_bvalid && top->s_axil_bready;
        address_read = top->s_axil_arvalid && top->s_axil_arready;
        data_read = top->s_axil_rvalid && top->s_axil_rready;
        if (answered) response = top->s_axil_bresp;
        if (data_read) response = top->s_axil_rresp, data = top->s_axil_rdata;
        if (source.offered && top->s_axis_tready) source.offered = false, ++source.at;
        if (top->rst_ni) take();
        top->clk_i = 1;
        top->eval();
        dump(1);
        ++cycles;
    }

    void reset() {
        source = Source{};
        sink = Sink{};
        sink.held_bytes.resize(beat);
        top->s_axil_awvalid = top->s_axil_wvalid = top->s_axil_arvalid = 0;
        top->s_axil_bready = top->s_axil_rready = 1;
        top->s_axil_awprot = top->s_axil_arprot = 0;
        top->rst_ni = 0;
        for (int i = 0; i < 4; ++i) cycle();
        top->rst_ni = 1;
        for (int i = 0; i < 4; ++i) cycle();
    }

    int write(uint32_t address, uint32_t value, uint32_t strobe) {
        top->s_axil_awaddr = address;
        top->s_axil_wdata = value;
        top->s_axil_wstrb = strobe;
        top->s_axil_awvalid = top->s_axil_wvalid = 1;
        for (int i = 0; i < PATIENCE; ++i) {
            cycle();
            if (address_written) top->s_axil_awvalid = 0;
            if (data_written) top->s_axil_wvalid = 0;
            if (answered) return response;
        }
        return NO_ANSWER;
    }

    int read(uint32_t address) {
        top->s_axil_araddr = address;
        top->s_axil_arvalid = 1;
        for (int i = 0; i < PATIENCE; ++i) {
            cycle();
            if (address_read) top->s_axil_arvalid = 0;
            if (data_read) return response;
        }
        return NO_ANSWER;
    }
};

}  // namespace

extern "C" {

Machine* machine_new(uint64_t beat_bytes, uint32_t seed) { return new Machine(beat_bytes, seed); }

void machine_delete(Machine* m) { delete m; }

void machine_reset(Machine* m) { m->reset(); }

uint64_t machine_cycles(const Machine* m) { return m->cycles; }

// 0 OKAY, 2 SLVERR, -1 without an answer.
int machine_write(Machine* m, uint32_t address, uint32_t value, uint32_t strobe) {
    return m->write(address, value, strobe);
}

int machine_read(Machine* m, uint32_t address, uint32_t* value) {
    const int response = m->read(address);
    *value = m->data;
    return response;
}

// `count` writes to one register; stops at the first response other than OKAY and returns it.
int machine_write_many(Machine* m, uint32_t address, const uint32_t* values, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i)
        if (const int response = m->write(address, values[i], 0xF)) return response;
    return OKAY;
}

// `count` reads, the address `step` further each time; ends as machine_write_many.
int machine_read_many(Machine* m, uint32_t address, uint32_t step, uint32_t* values,
                      uint64_t count) {
    for (uint64_t i = 0; i < count; ++i, address += step) {
        if (const int response = m->read(address)) return response;
        values[i] = m->data;
    }
    return OKAY;
}

// The words that the input stream offers from now on; `last` is the one that carries TLAST, or -1.
// `gaps` of 256 cycles are idle between two words. A word that is offered already stays.
void machine_offer(Machine* m, const uint8_t* bytes, int64_t words, int64_t last, uint32_t gaps) {
    m->source.bytes.assign(bytes, bytes + words * m->beat);
    m->source.words = words;
    m->source.at = 0;
    m->source.last = last;
    m->source.gaps = gaps;
}

// Words of machine_offer that were taken.
int64_t machine_taken(const Machine* m) { return m->source.at; }

// `gaps` of 256 cycles the output stream is not ready.
void machine_resist(Machine* m, uint32_t gaps) { m->sink.gaps = gaps; }

// Words that came out; with `bytes` they are copied there, their TLAST to `lasts`, and forgotten.
int64_t machine_collect(Machine* m, uint8_t* bytes, uint8_t* lasts) {
    const int64_t words = static_cast<int64_t>(m->sink.lasts.size());
    if (bytes) {
        std::memcpy(bytes, m->sink.bytes.data(), m->sink.bytes.size());
        std::memcpy(lasts, m->sink.lasts.data(), m->sink.lasts.size());
        m->sink.bytes.clear();
        m->sink.lasts.clear();
    }
    return words;
}

// Beats of the output stream that were taken back or changed before they were taken.
int64_t machine_broken(const Machine* m) { return m->sink.broken; }

// Cycles until the interrupt is seen, at most `limit`; 1 where it was seen. The interrupt is a
// register: that of the pause before may still be there for some cycles.
int machine_run(Machine* m, uint64_t limit) {
    for (int i = 0; i < 4 && m->top->irq_o; ++i) m->cycle();
    for (uint64_t i = 0; i < limit && !m->top->irq_o; ++i) m->cycle();
    return m->top->irq_o;
}

// Exactly `count` cycles.
void machine_idle(Machine* m, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) m->cycle();
}

// Write a waveform to `path` from now on; 0 where the library was built without.
int machine_wave_open(Machine* m, const char* path) {
#if VM_TRACE
    m->wave = std::make_unique<VerilatedFstC>();
    m->top->trace(m->wave.get(), 99);
    m->wave->open(path);
    m->waving = m->wave->isOpen();
    return m->waving;
#else
    (void)m, (void)path;
    return 0;
#endif
}

void machine_wave_close(Machine* m) {
#if VM_TRACE
    if (m->wave) m->wave->close();
    m->waving = false;
#else
    (void)m;
#endif
}

}  // extern "C"
