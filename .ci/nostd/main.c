/* Calls into the static library; the only runtime here is C's. */
#include <stdio.h>

#define EACH(f) f(wire) f(smtp) f(imap) f(pop3)
#define DECLARE(name) int nostd_##name(void);
EACH(DECLARE)

int main(void) {
    int bad = 0;
#define RUN(name) { int r = nostd_##name(); printf("%s %s\n", #name, r == 0 ? "ok" : "FAILED"); bad |= r; }
    EACH(RUN)
    return bad ? 1 : 0;
}
