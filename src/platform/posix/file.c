/* SPDX-License-Identifier: MIT */
/*
 * file.c - what we write to and read from.
 *
 * Touches the files that it is told to open, the commands that it is told to
 * start, and the standard handles. Once the reader of what it has opened itself
 * has left, that is an error; if it is the reader of a standard handle, SIGPIPE
 * ends us, as others here. Writes all of the bytes or fails with the system's
 * reason; an error that the output is to blame for has the code ERR_OUTPUT, or
 * ERR_UNREAD. What was written before a failure stays written. A file that was
 * read is not emptied.
 */
/* For statx. */
#define _GNU_SOURCE
#include "platform/inputs.h"
#include "platform/posix/posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h"

/* What runs command lines here. */
#define INTERPRETER "/bin/sh"

static struct os_file file_of(int fd, bool owned)
{
    return (struct os_file){ (void *)(intptr_t)fd, owned, isatty(fd) == 1 };
}

static int fd_of(const struct os_file *f)
{
    return (int)(intptr_t)f->handle;
}

struct os_file os_stdout(void)
{
    return file_of(STDOUT_FILENO, false);
}

struct os_file os_stderr(void)
{
    return file_of(STDERR_FILENO, false);
}

/* "<verb> <what>: <reason>", the output being to blame. */
static bool output_fail(struct err *e, const char *verb, str what)
{
    int why = errno;
    char text[300];

    snprintf(text, sizeof(text), "%s%.*s", verb, STR_ARGS(what));
    errno = why;
    posix_fail(e, text);
    e->code = why == EPIPE ? ERR_UNREAD : ERR_OUTPUT;
    return false;
}

/* Of a file that is open. A number is used again as soon as its file is gone: when
 * it was made belongs to it. */
static bool find_identity(int fd, struct file_identity *id)
{
    struct statx about;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &about) != 0) {
        return false;
    }
    *id = (struct file_identity){
        .volume = (uint64_t)about.stx_dev_major << 32 | about.stx_dev_minor,
        .file = about.stx_ino,
    };
    if ((about.stx_mask & STATX_BTIME) != 0) {
        id->born = (uint64_t)about.stx_btime.tv_sec * 1000000000 +
                   about.stx_btime.tv_nsec;
    }
    return true;
}

static bool note_input(int fd, struct err *e)
{
    struct file_identity id;

    if (!find_identity(fd, &id)) {
        return posix_fail(e, "cannot read it");
    }
    return inputs_add(&id) || err_set(e, ERR_OS, "out of memory");
}

/* Empties what was opened, unless it is one that was read. */
static bool empty_file(int fd, str path, struct err *e)
{
    struct file_identity id;
    struct stat about;

    if (fstat(fd, &about) != 0 || !find_identity(fd, &id)) {
        return output_fail(e, "cannot write to ", path);
    }
    if (!inputs_spare(&id, path, e)) {
        return false;
    }
    /* A pipe or a terminal has nothing to lose. */
    return !S_ISREG(about.st_mode) || ftruncate(fd, 0) == 0 ||
           output_fail(e, "cannot write to ", path);
}

bool os_file_create(struct os_file *out, str path, struct err *e)
{
    char *bytes = posix_bytes(path);
    int fd;

    if (bytes == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    fd = open(bytes, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    free(bytes);
    if (fd < 0 && errno == EISDIR) {
        return err_set(e, ERR_OUTPUT, "cannot write to %.*s: it is a directory",
                       STR_ARGS(path));
    }
    if (fd < 0) {
        return output_fail(e, "cannot write to ", path);
    }
    if (!empty_file(fd, path, e)) {
        close(fd);
        return false;
    }
    *out = file_of(fd, true);
    return true;
}

/* In the child: becomes the interpreter, which reads from `from`. Ctrl-C for
 * the target is not to end who reads the target's last lines. */
static void become_reader(int from, char *command)
{
    char name[] = "sh", option[] = "-c";
    char *const words[] = { name, option, command, NULL };
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(from, STDIN_FILENO) >= 0) {
        execv(INTERPRETER, words);
    }
    _exit(127);
}

bool os_pipe_into(struct os_file *out, void **process, str command,
                  struct err *e)
{
    char *bytes = posix_bytes(command);
    int ends[2] = { -1, -1 };
    pid_t child = -1;

    if (bytes == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    if (pipe(ends) == 0) {
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        child = fork();
    }
    if (child == 0) {
        close(ends[1]);
        become_reader(ends[0], bytes);
    }
    if (child < 0) {
        char what[300];
        struct buf text = BUF_OVER(what);

        buf_addf(&text, "'%.*s'", STR_ARGS(command));
        output_fail(e, "cannot start ", buf_str(&text));
    } else {
        *out = file_of(ends[1], true);
        *process = (void *)(intptr_t)child;
    }
    free(bytes);
    if (ends[0] >= 0) {
        close(ends[0]);
    }
    if (child < 0 && ends[1] >= 0) {
        close(ends[1]);
    }
    return child > 0;
}

void os_pipe_wait(void *process)
{
    pid_t child = (pid_t)(intptr_t)process;

    if (process != NULL) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
}

void os_full_path(struct buf *b, str path)
{
    buf_add(b, path);
}

bool os_file_write(struct os_file *f, str bytes, struct err *e)
{
    if (f->owned) {
        signal(SIGPIPE, SIG_IGN);
    }
    while (bytes.size > 0) {
        ssize_t put = write(fd_of(f), bytes.p, bytes.size);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return output_fail(e, "cannot write the output", STR(""));
        }
        bytes.p += put;
        bytes.size -= (size_t)put;
    }
    return true;
}

bool os_file_close(struct os_file *f, struct err *e)
{
    bool ok = !f->owned || close(fd_of(f)) == 0;

    if (!ok) {
        output_fail(e, "cannot finish the output", STR(""));
    }
    *f = (struct os_file){ 0 };
    return ok;
}

static bool read_fail(struct err *e, str path)
{
    int why = errno;
    char text[300];

    snprintf(text, sizeof(text), "cannot read %.*s", STR_ARGS(path));
    errno = why;
    return posix_fail(e, text);
}

bool os_file_open(struct os_file *out, str path, struct err *e)
{
    char *bytes = posix_bytes(path);
    struct stat about;
    int fd;

    if (bytes == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    /* A pipe without a writer is not waited for. */
    fd = open(bytes, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    free(bytes);
    if (fd < 0) {
        return read_fail(e, path);
    }
    if (fstat(fd, &about) != 0) {
        read_fail(e, path);
    } else if (!S_ISREG(about.st_mode)) {
        err_set(e, ERR_OS, "cannot read %.*s: it is %s", STR_ARGS(path),
                S_ISDIR(about.st_mode) ? "a directory" : "no plain file");
    } else if (note_input(fd, e)) {
        *out = file_of(fd, true);
        return true;
    }
    close(fd);
    return false;
}

bool os_file_read_at(struct os_file *f, uint64_t offset, void *to, size_t size,
                     size_t *got, struct err *e)
{
    size_t done = 0;

    if (offset > INT64_MAX - size) {
        *got = 0;
        return true;
    }
    while (done < size) {
        ssize_t part = pread(fd_of(f), (char *)to + done, size - done,
                             (off_t)(offset + done));

        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part < 0) {
            return posix_fail(e, "cannot read it");
        }
        if (part == 0) {
            break;
        }
        done += (size_t)part;
    }
    *got = done;
    return true;
}

bool os_file_size(const struct os_file *f, uint64_t *size, struct err *e)
{
    struct stat about;

    if (fstat(fd_of(f), &about) != 0) {
        return posix_fail(e, "cannot read it");
    }
    *size = (uint64_t)about.st_size;
    return true;
}

bool os_file_truncate(struct os_file *f, uint64_t size, struct err *e)
{
    if (ftruncate(fd_of(f), (off_t)size) != 0 ||
        lseek(fd_of(f), (off_t)size, SEEK_SET) < 0) {
        return output_fail(e, "cannot cut off the output", STR(""));
    }
    return true;
}

/* Opens the file at `path`, UTF-16; -1: errno says why not. */
static int open_wide(const uint16_t *path)
{
    struct str16 s = { path, 0 };
    struct buf b = { 0 };
    char *bytes = NULL;
    int fd = -1;

    while (path[s.size] != 0) {
        s.size++;
    }
    b.room = 3 * s.size + 1;
    b.p = malloc(b.room);
    if (b.p != NULL) {
        os_to_utf8(&b, s);
        bytes = posix_bytes(buf_str(&b));
    }
    errno = ENOMEM;
    if (bytes != NULL) {
        fd = open(bytes, O_RDONLY | O_CLOEXEC);
    }
    free(bytes);
    free(b.p);
    return fd;
}

bool os_file_head(const uint16_t *path, void *to, size_t room, size_t *size,
                  uint64_t *file_size, struct err *e)
{
    int fd = open_wide(path);
    struct stat about;
    size_t got = 0;
    ssize_t part = 1;

    while (fd >= 0 && got < room && part > 0) {
        part = read(fd, (char *)to + got, room - got);
        got += part > 0 ? (size_t)part : 0;
    }
    if (fd < 0 || part < 0 || fstat(fd, &about) != 0) {
        posix_fail(e, "cannot read it");
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    if (!note_input(fd, e)) {
        close(fd);
        return false;
    }
    close(fd);
    *size = got;
    *file_size = (uint64_t)about.st_size;
    return true;
}

/* `name` is a file of `folder`, which ends in its slash, if it has one: its
 * path, if that begins with `prefix` and a dot, goes to `visit`. */
static bool visit_one(str prefix, str folder, const char *name,
                      bool (*visit)(void *ctx, str path), void *ctx)
{
    size_t size = strlen(name);
    size_t room = folder.size + 3 * size + 1;
    struct buf path = { malloc(room), 0, room, false };
    bool goes_on = true;

    if (path.p == NULL) {
        return true;
    }
    buf_add(&path, folder);
    posix_add_text(&path, name, size);
    if (path.size > prefix.size && str_starts(buf_str(&path), prefix) &&
        path.p[prefix.size] == '.') {
        goes_on = visit(ctx, buf_str(&path));
    }
    free(path.p);
    return goes_on;
}

bool os_files_beginning(str prefix, bool (*visit)(void *ctx, str path),
                        void *ctx, struct err *e)
{
    size_t folder = prefix.size;
    char *bytes;
    struct dirent *entry;
    DIR *dir;

    while (folder > 0 && prefix.p[folder - 1] != '/') {
        folder--;
    }
    bytes = posix_bytes(folder > 0 ? str_slice(prefix, 0, folder) : STR("."));
    if (bytes == NULL) {
        return err_set(e, ERR_OS, "out of memory");
    }
    dir = opendir(bytes);
    free(bytes);
    if (dir == NULL) {
        return read_fail(e, str_slice(prefix, 0, folder));
    }
    do {
        entry = readdir(dir);
    } while (entry != NULL && visit_one(prefix, str_slice(prefix, 0, folder),
                                        entry->d_name, visit, ctx));
    closedir(dir);
    return true;
}
