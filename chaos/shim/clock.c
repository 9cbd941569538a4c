/* A wall clock that is wrong, laid under one program by LD_PRELOAD.
 *
 *   CHAOS_CLOCK   a file of one `struct shared`: whoever holds it says how far the clock is ahead, and
 *                 reads how often the program has been told a time that is wrong
 *
 * The steady clocks are right, as they are on a machine whose wall clock somebody sets. What asks the
 * system past libc is told the right time. src/wall.rs writes and reads the file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Seconds, less than 0 where it is behind; and how often it was asked while it was wrong. */
struct shared { _Atomic int64_t ahead; _Atomic uint64_t told; };

static struct shared *shared;

__attribute__((constructor)) static void start(void) {
    const char *by = getenv("CHAOS_CLOCK");
    int fd = by ? (int)syscall(SYS_openat, AT_FDCWD, by, O_RDWR | O_CLOEXEC, 0) : -1;
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (at != MAP_FAILED) shared = at;
}

static time_t ahead(void) {
    int64_t by = shared ? atomic_load(&shared->ahead) : 0;
    if (by) atomic_fetch_add(&shared->told, 1);
    return (time_t)by;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int result = (int)syscall(SYS_clock_gettime, clock, at);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += ahead();
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    int result = (int)syscall(SYS_gettimeofday, at, zone);
    if (!result && at) at->tv_sec += ahead();
    return result;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
