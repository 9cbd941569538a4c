/* A disk with faults, laid under one program by LD_PRELOAD.
 *
 * It sees what the program does to the files of one folder, does it, and notes it in a journal in the
 * order in which it was done: so what a disk would hold after a power cut at any moment can be made
 * afterwards, from what had been synced by then and any part of what had not. And it fails what it is
 * told to fail. src/disk/journal.rs reads the journal, src/disk.rs writes the orders.
 *
 *   CHAOS_DISK_FOLDER   the folder; everything outside is left alone
 *   CHAOS_DISK_JOURNAL  the journal, outside of the folder; made anew
 *   CHAOS_DISK_ORDERS   a file of one `struct orders`, read before each write and each sync, and behind
 *                       it a number in which is told which order has been carried out how often
 *
 * Not seen, since SQLite as it is built here does not use it for what has to last: mmap (the index of
 * its log, `-shm`, is mapped, and made anew after a power cut), fallocate, writev, rename. A rename is
 * noted, and whoever reads the journal refuses it. `-shm` and lock files are left alone.
 *
 * Each call ends in a system call of its own, so nothing here has to find the functions it replaces.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Kinds of records. */
enum { OPENED = 1, WROTE, CUT, SYNCED, UNLINKED, RENAMED, FOLDER_SYNCED, FAULT };
/* Kinds of faults. */
enum { NONE = 0, FAIL_WRITE, SHORT_WRITE, TORN_WRITE, FAIL_SYNC, LIE_SYNC };

/* On which files. */
enum { ANY = 0, LOG, DATABASE };

/* What to fail: from the `skip`th fitting call on, `count` of them. A new `turn` is a new order; it
 * stands at both ends, so that one which is being written is not taken for one. */
struct orders { uint64_t turn, fault, on, skip, count, error, hold_ms, turn_again; };

/* A record's head; `length` bytes follow it. */
struct head { uint64_t kind, seq, nanos, file, place, length; };

#define MOST_FDS 4096
#define MOST_FILES 256
#define FOLDER_FD (MOST_FILES + 1)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static size_t folder_length;
static int journal = -1, orders_fd = -1;
static uint64_t seq;
static char *files[MOST_FILES];
static unsigned known;
/* For each descriptor the number of its file and one more, 0 for those that are none of ours. */
static unsigned of_fd[MOST_FDS];
static struct orders now;
static uint64_t seen, done;
/* The next write fails, the one before having been done by half. */
static int torn;

__attribute__((constructor)) static void start(void) {
    const char *of = getenv("CHAOS_DISK_FOLDER"), *to = getenv("CHAOS_DISK_JOURNAL");
    const char *by = getenv("CHAOS_DISK_ORDERS");
    if (!of || !to || !by || !realpath(of, folder)) return;
    orders_fd = (int)syscall(SYS_openat, AT_FDCWD, by, O_RDWR | O_CLOEXEC, 0);
    journal = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    folder_length = strlen(folder);
}

/* With the lock held. */
static void note(uint64_t kind, uint64_t file, uint64_t place, const void *data, size_t length) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    struct head head = { kind, ++seq, (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec, file, place, length };
    struct iovec parts[2] = { { &head, sizeof head }, { (void *)data, length } };
    /* A journal that cannot be written would make a liar of every check. */
    if (syscall(SYS_writev, journal, parts, length ? 2 : 1) != (long)(sizeof head + length)) abort();
}

static void order(void) {
    struct orders read;
    if (syscall(SYS_pread64, orders_fd, &read, sizeof read, 0L) != sizeof read) return;
    if (read.turn == read.turn_again && read.turn != now.turn) {
        now = read;
        seen = done = 0;
        torn = 0;
    }
}

static int ends(const char *path, const char *with) {
    size_t long_ = strlen(path), short_ = strlen(with);
    return long_ >= short_ && !strcmp(path + long_ - short_, with);
}

/* Whether this call is one to be failed so. With the lock held. */
static int due(uint64_t fault, unsigned file) {
    if (now.fault != fault) return 0;
    if (now.on && ends(files[file], "-wal") != (now.on == LOG)) return 0;
    if (seen++ < now.skip || done >= now.count) return 0;
    uint64_t told = now.turn << 32 | ++done;
    if (syscall(SYS_pwrite64, orders_fd, &told, sizeof told, (long)sizeof now) != sizeof told) abort();
    return 1;
}

/* The name below the folder, NULL for what is not ours; "" is the folder itself. */
static const char *below(const char *path) {
    static __thread char whole[PATH_MAX];
    if (journal < 0 || !path) return NULL;
    if (path[0] != '/') {
        if (!realpath(path, whole)) return NULL;
        path = whole;
    }
    if (strncmp(path, folder, folder_length)) return NULL;
    if (!path[folder_length]) return "";
    if (path[folder_length] != '/' || ends(path, "-shm") || ends(path, ".lock")) return NULL;
    return path + folder_length + 1;
}

/* The file's number. With the lock held. */
static unsigned number(const char *name) {
    for (unsigned i = 0; i < known; i++)
        if (!strcmp(files[i], name)) return i;
    if (known == MOST_FILES) abort();
    files[known] = strdup(name);
    return known++;
}

static int opened(int fd, const char *path, int flags) {
    const char *name = below(path);
    if (fd < 0 || fd >= MOST_FDS || !name) return fd;
    pthread_mutex_lock(&lock);
    if (!*name) {
        of_fd[fd] = FOLDER_FD;
    } else if (flags & (O_WRONLY | O_RDWR)) {
        unsigned file = number(name);
        of_fd[fd] = file + 1;
        note(OPENED, file, 0, name, strlen(name));
        if (flags & O_TRUNC) note(CUT, file, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
    return opened((int)syscall(SYS_openat, at, path, flags, mode), path, flags);
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = (mode_t)va_arg(more, int); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return open_at(at, path, flags, mode); }

int close(int fd) {
    if (fd >= 0 && fd < MOST_FDS && of_fd[fd]) {
        pthread_mutex_lock(&lock);
        of_fd[fd] = 0;
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(SYS_close, fd);
}

static int is_ours(int fd) { return fd >= 0 && fd < MOST_FDS && of_fd[fd] && of_fd[fd] != FOLDER_FD; }

static ssize_t failed(unsigned file, uint64_t fault, int error) {
    note(FAULT, file, fault, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return -1;
}

static ssize_t write_at(int fd, const void *data, size_t length, off_t place, int moves) {
    unsigned file = of_fd[fd] - 1;
    pthread_mutex_lock(&lock);
    order();
    if (torn) {
        torn = 0;
        return failed(file, TORN_WRITE, (int)now.error);
    }
    if (due(FAIL_WRITE, file)) return failed(file, FAIL_WRITE, (int)now.error);
    if (length > 1) {
        int tears = due(TORN_WRITE, file);
        if (tears || due(SHORT_WRITE, file)) {
            if (tears) torn = 1;
            else note(FAULT, file, SHORT_WRITE, NULL, 0);
            length /= 2;
        }
    }
    /* Noted first: a program that is killed in between has at most written it. */
    note(WROTE, file, (uint64_t)place, data, length);
    ssize_t wrote = moves ? syscall(SYS_write, fd, data, length) : syscall(SYS_pwrite64, fd, data, length, place);
    pthread_mutex_unlock(&lock);
    return wrote;
}

ssize_t write(int fd, const void *data, size_t length) {
    if (!is_ours(fd)) return syscall(SYS_write, fd, data, length);
    return write_at(fd, data, length, lseek(fd, 0, SEEK_CUR), 1);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t place) {
    if (!is_ours(fd)) return syscall(SYS_pwrite64, fd, data, length, place);
    return write_at(fd, data, length, place, 0);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t place) { return pwrite64(fd, data, length, place); }

int ftruncate64(int fd, off64_t length) {
    if (!is_ours(fd)) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    note(CUT, of_fd[fd] - 1, (uint64_t)length, NULL, 0);
    int result = (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int sync_by(long call, int fd) {
    if (fd < 0 || fd >= MOST_FDS || !of_fd[fd]) return (int)syscall(call, fd);
    pthread_mutex_lock(&lock);
    unsigned file = of_fd[fd] - 1;
    uint64_t upto = seq;
    int is_folder = of_fd[fd] == FOLDER_FD;
    order();
    if (!is_folder && due(FAIL_SYNC, file)) {
        uint64_t hold = now.hold_ms;
        int error = (int)now.error;
        pthread_mutex_unlock(&lock);
        /* What was on its way before arrives meanwhile. */
        struct timespec time = { (time_t)(hold / 1000), (long)(hold % 1000) * 1000000 };
        nanosleep(&time, NULL);
        pthread_mutex_lock(&lock);
        return (int)failed(file, FAIL_SYNC, error);
    }
    if (!is_folder && due(LIE_SYNC, file)) {
        note(FAULT, file, LIE_SYNC, NULL, 0);
        pthread_mutex_unlock(&lock);
        return 0;
    }
    pthread_mutex_unlock(&lock);
    int result = (int)syscall(call, fd);
    if (!result) {
        int error = errno;
        pthread_mutex_lock(&lock);
        note(is_folder ? FOLDER_SYNCED : SYNCED, is_folder ? 0 : file, upto, NULL, 0);
        pthread_mutex_unlock(&lock);
        errno = error;
    }
    return result;
}

int fsync(int fd) { return sync_by(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_by(SYS_fdatasync, fd); }

static void gone(const char *path, uint64_t kind) {
    const char *name = below(path);
    if (!name || !*name) return;
    pthread_mutex_lock(&lock);
    note(kind, number(name), 0, name, strlen(name));
    pthread_mutex_unlock(&lock);
}

int unlinkat(int at, const char *path, int flags) {
    gone(path, UNLINKED);
    return (int)syscall(SYS_unlinkat, at, path, flags);
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int rename(const char *from, const char *to) {
    gone(from, RENAMED);
    gone(to, RENAMED);
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
