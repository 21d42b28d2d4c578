/* Short programs of AMX instructions, assembled by the compiler's assembler, for the emulator's tests. */
typedef void *P;

/* sums = c + products of a and b; tiles 0 (sums), 1 (a) and 2 (b) as the configuration has them. */
#define MULTIPLY(name)                                                                              \
  void name(P config, P a, long lda, P b, long ldb, P c, long ldc) {                                \
    __asm__ volatile("ldtilecfg (%0)\n\ttileloadd (%5,%6,1), %%tmm0\n\t"                            \
                     "tileloadd (%1,%2,1), %%tmm1\n\ttileloaddt1 (%3,%4,1), %%tmm2\n\t" #name       \
                     " %%tmm2, %%tmm1, %%tmm0\n\ttilestored %%tmm0, (%5,%6,1)\n\ttilerelease" ::    \
                         "r"(config), "r"(a), "r"(lda), "r"(b), "r"(ldb), "r"(c), "r"(ldc)          \
                     : "memory");                                                                   \
  }
MULTIPLY(tdpbuud)
MULTIPLY(tdpbusd)
MULTIPLY(tdpbsud)
MULTIPLY(tdpbssd)

/* From an address in another form each time, with `index` in the index register, to c. */
#define ADDRESS(name, setup, operand)                                                               \
  void name(P config, P base, long index, P c, long ldc) {                                          \
    __asm__ volatile("push %%rbp\n\tldtilecfg (%0)\n\t" setup "\n\ttileloadd " operand              \
                     ", %%tmm7\n\ttilestored %%tmm7, (%3,%4,1)\n\ttilerelease\n\tpop %%rbp" ::      \
                         "a"(config), "b"(base), "c"(index), "d"(c), "S"(ldc)                       \
                     : "memory", "r8", "r9", "r12", "r13", "r14", "r15");                           \
  }
ADDRESS(plain, "", "(%%rbx,%%rcx,1)")
ADDRESS(scaled, "", "(%%rbx,%%rcx,4)")
ADDRESS(near_, "", "-64(%%rbx,%%rcx,2)")
ADDRESS(far_, "", "1024(%%rbx,%%rcx,1)")
ADDRESS(high, "mov %%rbx, %%r9\n\tmov %%rcx, %%r15", "(%%r9,%%r15,8)")
ADDRESS(base_r13, "mov %%rbx, %%r13\n\tmov %%rcx, %%r12", "(%%r13,%%r12,1)")
ADDRESS(base_r12, "mov %%rbx, %%r12\n\tmov %%rcx, %%r8", "64(%%r12,%%r8,1)")
ADDRESS(base_rbp, "mov %%rbx, %%rbp\n\tmov %%rcx, %%r14", "128(%%rbp,%%r14,1)")
ADDRESS(no_index, "", "(%%rbx)")
/* r12 is an index where its three low bits alone would mean that there is none */
ADDRESS(pitch_is_r12, "mov %%rcx, %%r12", "(%%rbx,%%r12,1)")

/* The configuration after loading one, and after releasing it. */
void store_config(P config, P loaded, P released) {
  __asm__ volatile("ldtilecfg (%0)\n\tsttilecfg (%1)\n\ttilerelease\n\tsttilecfg (%2)" ::"r"(config),
                   "r"(loaded), "r"(released)
                   : "memory");
}

/* A tile that is loaded, set to zero, and stored. */
void zero(P config, P tile, long pitch) {
  __asm__ volatile("ldtilecfg (%0)\n\ttileloadd (%1,%2,1), %%tmm3\n\ttilezero %%tmm3\n\t"
                   "tilestored %%tmm3, (%1,%2,1)\n\ttilerelease" ::"r"(config),
                   "r"(tile), "r"(pitch)
                   : "memory");
}

void load_without_config(P tile, long pitch) {
  __asm__ volatile("tilerelease\n\ttileloadd (%0,%1,1), %%tmm3" ::"r"(tile), "r"(pitch));
}
/* tdpbusd %tmm1, %tmm1, %tmm0, which no assembler takes */
void tile_twice(P config) {
  __asm__ volatile("ldtilecfg (%0)\n\t.byte 0xC4, 0xE2, 0x71, 0x5E, 0xC1" ::"r"(config) : "memory");
}
void undefined(void) { __asm__ volatile("ud2"); }
