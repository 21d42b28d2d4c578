/* Executes AMX instructions on processors that have none, for tests.
 *
 * Such an instruction is undefined there and the kernel sends SIGILL. The handler decodes it at the
 * instruction pointer, does on tiles in memory what the architecture says, and goes on behind it; as
 * a trap takes microseconds, AMX instructions that follow one another are done in one. Instructions:
 *
 *   VEX.128.0F38.W0 49   ldtilecfg, tilerelease (no prefix), sttilecfg (66), tilezero (F2)
 *   VEX.128.0F38.W0 4B   tileloadd (F2), tileloaddt1 (66), tilestored (F3)
 *   VEX.128.0F38.W0 5E   tdpbuud (no prefix), tdpbusd (66), tdpbsud (F3), tdpbssd (F2)
 *
 * What would raise #UD or #GP prints one line and aborts: a test must never pass on a program that
 * the silicon refuses. Any other SIGILL goes to the handler that was there before.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ucontext.h>
#include <unistd.h>

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64 };

/* State of one thread: what XTILECFG and XTILEDATA hold. Zero is the state after tilerelease. */
struct state {
  int configured;
  uint8_t rows[TILES];
  uint16_t colsb[TILES];
  uint8_t data[TILES][ROWS][ROW_BYTES];
};
static __thread struct state state;

static struct sigaction previous;
static volatile long executed; /* by all threads, roughly: it only shows that something was */

static void refuse(const char *what) {
  static const char begin[] = "amx emulator: ";
  /* write, not printf: this is a signal handler */
  if (write(2, begin, sizeof begin - 1) < 0 || write(2, what, strlen(what)) < 0 ||
      write(2, "\n", 1) < 0)
    abort();
  abort();
}

static void check_tile(int tile) {
  if (!state.configured) refuse("#UD: no tile is configured");
  if (tile >= TILES) refuse("#UD: a tile beyond the eight of palette 1");
  if (!state.rows[tile]) refuse("#UD: the tile has no rows in this configuration");
  if (state.colsb[tile] % 4) refuse("#UD: bytes of a row are no multiple of 4");
}

static int any(const uint8_t *bytes, int from, int to) {
  for (int i = from; i < to; i++)
    if (bytes[i]) return 1;
  return 0;
}

static void load_config(const uint8_t *given) {
  if (given[0] == 0) {
    memset(&state, 0, sizeof state);
    return;
  }
  if (given[0] != 1) refuse("#GP: palette is neither 0 nor 1");
  if (given[1]) refuse("start_row is not 0, which is not emulated");
  if (any(given, 2, 16) || any(given, 32, 48) || any(given, 56, 64))
    refuse("#GP: reserved bytes of the configuration are not 0");
  struct state next = {.configured = 1};
  for (int tile = 0; tile < TILES; tile++) {
    int colsb = given[16 + 2 * tile] | given[17 + 2 * tile] << 8, rows = given[48 + tile];
    if (colsb > ROW_BYTES) refuse("#GP: more than 64 bytes in a row");
    if (rows > ROWS) refuse("#GP: more than 16 rows");
    if (!rows != !colsb) refuse("#GP: rows without bytes, or bytes without rows");
    next.rows[tile] = rows;
    next.colsb[tile] = colsb;
  }
  state = next; /* all data are 0 */
}

static void store_config(uint8_t *target) {
  memset(target, 0, 64);
  target[0] = state.configured;
  for (int tile = 0; tile < TILES; tile++) {
    target[16 + 2 * tile] = state.colsb[tile];
    target[48 + tile] = state.rows[tile];
  }
}

static void load_tile(int tile, const uint8_t *base, int64_t stride) {
  check_tile(tile);
  uint8_t loaded[ROWS][ROW_BYTES] = {{0}};
  for (int row = 0; row < state.rows[tile]; row++)
    memcpy(loaded[row], base + row * stride, state.colsb[tile]);
  memcpy(state.data[tile], loaded, sizeof loaded);
}

static void store_tile(int tile, uint8_t *base, int64_t stride) {
  check_tile(tile);
  for (int row = 0; row < state.rows[tile]; row++)
    memcpy(base + row * stride, state.data[tile][row], state.colsb[tile]);
}

/* sums[m][n] += products of four bytes a[m][4k..] with b[k][4n..], modulo 2^32. */
static void multiply(int sums, int a, int b, int a_signed, int b_signed) {
  check_tile(sums), check_tile(a), check_tile(b);
  if (sums == a || sums == b || a == b) refuse("#UD: a product names one tile twice");
  int rows = state.rows[sums], columns = state.colsb[sums] / 4, depth = state.rows[b];
  if (state.rows[a] != rows) refuse("#UD: rows of codes are not rows of sums");
  if (state.colsb[a] / 4 != depth) refuse("#UD: bytes of codes are not rows of weights");
  if (state.colsb[b] != state.colsb[sums]) refuse("#UD: columns of weights are not those of sums");
  uint32_t result[ROWS][ROW_BYTES / 4] = {{0}};
  for (int m = 0; m < rows; m++) {
    uint32_t row[ROW_BYTES / 4];
    memcpy(row, state.data[sums][m], sizeof row);
    for (int k = 0; k < depth; k++)
      for (int n = 0; n < columns; n++)
        for (int i = 0; i < 4; i++) {
          uint8_t x = state.data[a][m][4 * k + i], w = state.data[b][k][4 * n + i];
          row[n] += (uint32_t)((a_signed ? (int8_t)x : x) * (b_signed ? (int8_t)w : w));
        }
    memcpy(result[m], row, 4 * columns);
  }
  memcpy(state.data[sums], result, sizeof result);
}

/* Register number as instructions count them. */
static int64_t reg(const greg_t *regs, int number) {
  static const int place[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15};
  return regs[place[number]];
}

struct operand {
  int is_register, number; /* a tile */
  int64_t base, stride;    /* an address; base holds the displacement too */
  int has_sib, length;     /* bytes from ModRM to the end of the instruction */
};

/* The operand in ModRM.rm; `vex` is the byte with the inverted R, X and B. */
static struct operand operand(const uint8_t *modrm, uint8_t vex, const greg_t *regs) {
  struct operand found = {.length = 1};
  int mod = *modrm >> 6, rm = *modrm & 7, b = !(vex & 0x20) << 3, x = !(vex & 0x40) << 3;
  if (mod == 3) {
    found.is_register = 1;
    found.number = rm | b;
    return found;
  }
  int wide = mod == 2; /* a displacement of 32 bits */
  if (rm == 4) {
    uint8_t sib = modrm[found.length++];
    int index = (sib >> 3 & 7) | x, base = sib & 7;
    found.has_sib = 1;
    if (index != 4) found.stride = reg(regs, index) * (1 << (sib >> 6));
    if (base == 5 && mod == 0)
      wide = 1; /* no base */
    else
      found.base = reg(regs, base | b);
  } else if (rm == 5 && mod == 0) {
    refuse("an address relative to the instruction is not emulated");
  } else {
    found.base = reg(regs, rm | b);
  }
  if (wide) {
    int32_t displacement;
    memcpy(&displacement, modrm + found.length, 4);
    found.base += displacement;
    found.length += 4;
  } else if (mod == 1) {
    found.base += (int8_t)modrm[found.length++];
  }
  return found;
}

/* Executes the instruction at `code`; its length, 0 if it is none of AMX. */
static int execute(const uint8_t *code, const greg_t *regs) {
  if (code[0] != 0xC4 || (code[1] & 0x1F) != 2) return 0; /* VEX of three bytes, map 0F38 */
  uint8_t last = code[2], opcode = code[3];
  if (opcode != 0x49 && opcode != 0x4B && opcode != 0x5E) return 0;
  if (last & 0x84) refuse("#UD: VEX.W or VEX.L is set");
  int prefix = last & 3, third = ~last >> 3 & 15; /* no prefix, 66, F3, F2 */
  int tile = (code[4] >> 3 & 7) | !(code[1] & 0x80) << 3;
  struct operand o = operand(code + 4, code[1], regs);
  if (opcode != 0x5E && third) refuse("#UD: VEX.vvvv names a register");
  if (opcode == 0x49 && prefix == 0 && !o.is_register && !tile)
    load_config((const uint8_t *)(o.base + o.stride));
  else if (opcode == 0x49 && prefix == 0 && o.is_register && !tile && !o.number)
    memset(&state, 0, sizeof state);
  else if (opcode == 0x49 && prefix == 1 && !o.is_register && !tile)
    store_config((uint8_t *)(o.base + o.stride));
  else if (opcode == 0x49 && prefix == 3 && o.is_register && !o.number) {
    check_tile(tile);
    memset(state.data[tile], 0, sizeof state.data[tile]);
  } else if (opcode == 0x4B && prefix && o.has_sib) {
    if (prefix == 2)
      store_tile(tile, (uint8_t *)o.base, o.stride);
    else
      load_tile(tile, (const uint8_t *)o.base, o.stride);
  } else if (opcode == 0x5E && o.is_register)
    multiply(tile, o.number, third, prefix >= 2, prefix & 1);
  else
    refuse("#UD: no such instruction");
  return 4 + o.length;
}

static void handle(int number, siginfo_t *info, void *context) {
  greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
  int length, done = 0;
  while ((length = execute((const uint8_t *)regs[REG_RIP], regs))) {
    regs[REG_RIP] += length;
    done++;
  }
  executed += done;
  if (done) return;
  if (previous.sa_flags & SA_SIGINFO)
    previous.sa_sigaction(number, info, context);
  else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)
    signal(number, SIG_DFL); /* the instruction runs again, and ends the process */
  else
    previous.sa_handler(number);
}

/* Puts the handler in; 0 if it is there. */
int amx_install(void) {
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigemptyset(&action.sa_mask);
  return sigaction(SIGILL, &action, &previous);
}

/* Puts back what was there. */
int amx_remove(void) { return sigaction(SIGILL, &previous, NULL); }

/* Instructions executed so far. */
long amx_executed(void) { return executed; }
