/* Runs compiled tiles over all pixels of a product, as packed.py does; arrays come on stdin.
 *
 * Each array is its length in bytes (64 bits) and its bytes. The first holds the numbers below, the
 * last what the result held before; the result goes to stdout.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <asm/hwcap.h>

_Static_assert(AT_DOTPROD == AT_HWCAP && 1ul << BIT_DOTPROD == HWCAP_ASIMDDP, "dotprod");
_Static_assert(AT_I8MM == AT_HWCAP2 && 1ul << BIT_I8MM == HWCAP2_I8MM, "i8mm");

void tile(int64_t pixels, int64_t offsets, int64_t steps, int64_t weights, int64_t bias,
          int64_t numbers, int64_t levels, int64_t targets);

static int64_t length;

static void *array(void) {
    if (fread(&length, 8, 1, stdin) != 1) exit(1);
    char *bytes = malloc(length + 1);
    if (fread(bytes, 1, length, stdin) != (size_t)length) exit(1);
    return bytes;
}

int main(void) {
    struct {
        int64_t rows, size, images, between, step, width, stored, itemsize, groups, blocks,
            apart, taps, channels, bits;
    } *n = array();
    char *frame = array();
    int64_t *starts = array(), pixels = length / 8;
    int64_t *offsets = array(), steps = length / 8 / n->taps;
    char *weights = array();
    int64_t block = length / (n->groups * n->blocks);
    char *bias = array();
    int64_t biases = length / (n->groups * n->blocks);
    char *numbers = array();
    char *levels = array();
    int64_t limits = length / (n->groups * n->blocks);
    int64_t *places = array();
    char *other = array(), *select = array();
    int64_t *selects = array(), each = length ? 3 : 1; /* addresses of a result */
    char *y = array();
    int64_t all = length, sources[32], targets[3 * 32], last = n->images * pixels - 1;
    char *spare = malloc(n->rows * n->width * n->itemsize);
    for (int64_t part = 0; part < n->groups * n->blocks; part++) {
        int64_t g = part / n->blocks, b = part % n->blocks;
        int64_t valid = n->stored - b * n->width;
        if (valid > n->width) valid = n->width;
        for (int64_t start = 0; start <= last; start += n->rows) {
            char *wanted[32];
            for (int64_t m = 0; m < n->rows; m++) {
                int64_t at = start + m < last ? start + m : last;
                int64_t image = at / pixels, p = at % pixels;
                sources[m] = (int64_t)(frame + g * n->between + b * n->apart
                                       + image * n->size + starts[p]);
                wanted[m] = y + n->itemsize * (image * n->step + places[p] + g * n->stored
                                               + b * n->width);
                int64_t *target = targets + each * m;
                target[0] = (int64_t)(spare + n->itemsize * m * n->width);
                if (each == 3) {
                    int64_t first = g * n->stored + b * n->width;
                    target[1] = (int64_t)(other + at * n->channels + first % n->channels);
                    target[2] = (int64_t)(select + image * n->bits + selects[p] + first);
                }
            }
            tile((int64_t)sources, (int64_t)offsets, steps, (int64_t)(weights + part * block),
                 (int64_t)(bias + part * biases), (int64_t)numbers,
                 (int64_t)(levels + part * limits), (int64_t)targets);
            for (int64_t m = 0; m < n->rows; m++)
                for (int64_t o = 0; o < valid * n->itemsize; o++)
                    wanted[m][o] = ((char *)targets[each * m])[o];
        }
    }
    return fwrite(y, 1, all, stdout) != (size_t)all;
}
