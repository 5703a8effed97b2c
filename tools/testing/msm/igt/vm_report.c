// SPDX-License-Identifier: MIT
/*
 * Who is said to have submitted what: the command line in reports of hangs, and
 * the debugfs files rd and hangrd, from which a tool takes jobs as they come.
 *
 * A report is made while all jobs wait, so it may not wait for a client: least
 * of all for its memory, which may be a file that a client serves.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu_fence.h"
#include "vm_report.h"
#include "vm_slow.h"
#include "vm_train.h"

#define RD_FOLDER	"/sys/kernel/debug/dri/128/"

/* Sections of the files begin with their type and their size. */
#define RD_CMDSTREAM_ADDR	6

/* Longer than a recovery, shorter than a hung task */
#define OTHERS_MS	4000
#define POLL_MS		10

/* What a child says on its way; also its exit status, if it gets no further */
enum { NO_FUSE = 1, FAILED, SUBMITTED };

/* A client in a process of its own, with children of its own */
struct client {
	pid_t pid;
	int said;
};

static void say(int fd, char what)
{
	if (write(fd, &what, 1) != 1)
		_exit(FAILED);
}

static struct client client_start(void (*live)(int said))
{
	struct client client;
	int said[2];

	msm_igt_assert_ok(pipe(said));
	client.pid = fork();
	msm_igt_assert(client.pid >= 0, "fork: %d\n", -errno);
	if (!client.pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		live(said[1]);
		_exit(0);
	}
	setpgid(client.pid, client.pid);
	close(said[1]);
	client.said = said[0];
	return client;
}

/* Return: what it said, or 0 if it says nothing within @ms. */
static char client_says(struct client *client, int ms)
{
	struct pollfd pfd = { .fd = client->said, .events = POLLIN };
	char what = 0;

	if (poll(&pfd, 1, gpu_fence_scaled_ms(ms)) != 1 ||
	    read(client->said, &what, 1) != 1)
		return 0;
	return what;
}

static void client_kill(struct client *client)
{
	kill(-client->pid, SIGKILL);
	waitpid(client->pid, NULL, 0);
	close(client->said);
}

/* Only in a client */
static void must(int said, int ret)
{
	if (!ret)
		return;
	say(said, FAILED);
	_exit(FAILED);
}

static void *slow_memory(int said)
{
	void *map;
	int ret = vm_slow_map(&map);

	if (ret == -ENOENT)
		say(said, NO_FUSE);
	else
		must(said, ret);
	return ret ? NULL : map;
}

/* A job that hangs, when the client's command line is out of reach */
static void live_slow(int said)
{
	char *map = slow_memory(said);
	struct gpu_job job;
	struct gpu_vm vm;

	if (!map)
		return;
	must(said, gpu_vm_open(&vm));
	must(said, gpu_job_write_now(&vm, vm.va_start + GPU_JOB_CMD_BYTES, 1));
	must(said, vm_slow_cover_argv(map));
	gpu_job_begin(&job, &vm, 0);
	gpu_cmd_dword(&job.cmd, 0xdeaddead);
	must(said, gpu_job_submit(&job, GPU_NO_FENCE));
	say(said, SUBMITTED);
	gpu_job_finish(&job);
	/* Wait, or the test is none. */
	__atomic_load_n(map, __ATOMIC_RELAXED);
	say(said, FAILED);
}

/* The same, from its first job on */
static void live_slow_first(int said)
{
	void *map = slow_memory(said);
	struct gpu_job job;
	struct gpu_vm vm;

	if (!map)
		return;
	must(said, gpu_vm_open(&vm));
	must(said, vm_slow_cover_argv(map));
	gpu_job_begin(&job, &vm, 0);
	gpu_cmd_nop(&job.cmd, 0);
	say(said, SUBMITTED);
	gpu_job_submit(&job, GPU_NO_FENCE);
	for (;;)
		pause();
}

/* Another client's job, which hangs itself if @hang, is dealt with. */
static int others_job(struct vm_train *train, bool hang)
{
	int ret;

	if (hang)
		vm_train_hang(train, 0);
	else
		vm_train_mark(train, 0);
	ret = vm_train_try(train, 0, GPU_NO_FENCE);
	if (!ret)
		ret = gpu_fence_wait(train->jobs[0].fence, OTHERS_MS);
	return ret;
}

/* A job that hangs has no command line to read, and others' go on. */
static void slow_cmdline(const void *arg)
{
	struct client client = client_start(live_slow);
	char said = client_says(&client, GPU_FENCE_PATIENCE_MS), more = 0;
	struct vm_train train;
	int ret = -EINVAL;

	if (said == SUBMITTED) {
		vm_train_open(&train);
		ret = others_job(&train, false);
		more = client_says(&client, GPU_FENCE_STILL_MS);
	}
	/* Whoever waits goes on: there is nothing left to wait for. */
	client_kill(&client);
	msm_igt_require(said != NO_FUSE, "no FUSE\n");
	msm_igt_assert(said == SUBMITTED, "the client said %d\n", said);
	vm_train_finish(&train, 0);
	msm_igt_assert_ret(ret, 0);
	msm_igt_assert(!more, "the memory is not slow\n");
	vm_train_close(&train);
}

/* SUBMIT waits for the client's own memory, with nothing that others need. */
static void slow_submit(const void *arg)
{
	struct client client = client_start(live_slow_first);
	char said = client_says(&client, GPU_FENCE_PATIENCE_MS);
	struct vm_train train, guilty;
	int ret = -EINVAL, hung = -EINVAL;

	if (said == SUBMITTED) {
		usleep(GPU_FENCE_STILL_MS * 1000);
		vm_train_open(&guilty);
		vm_train_open(&train);
		hung = others_job(&guilty, true);
		ret = others_job(&train, false);
	}
	client_kill(&client);
	msm_igt_require(said != NO_FUSE, "no FUSE\n");
	msm_igt_assert(said == SUBMITTED, "the client said %d\n", said);
	vm_train_finish(&guilty, 0);
	vm_train_finish(&train, 0);
	msm_igt_assert_ret(hung, -EIO);
	msm_igt_assert_ret(ret, 0);
	vm_train_close(&train);
	vm_train_close(&guilty);
}

/**
 * struct reader - a process that reads a file of debugfs as it fills
 * @pid: the process
 * @seen: shared with it
 */
struct reader {
	pid_t pid;
	struct seen {
		size_t bytes;
		bool opened;
		char data[64 * 1024 - 2 * sizeof(size_t)];
	} *seen;
};

static void read_on(const char *path, struct seen *seen)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : 1;

	__atomic_store_n(&seen->opened, fd >= 0, __ATOMIC_RELEASE);
	while (len > 0) {
		len = read(fd, seen->data + seen->bytes,
			   sizeof(seen->data) - seen->bytes);
		if (len > 0)
			__atomic_add_fetch(&seen->bytes, len, __ATOMIC_RELEASE);
	}
	_exit(0);
}

static struct reader reader_start(const char *path)
{
	struct reader reader;
	int left = gpu_fence_scaled_ms(OTHERS_MS) / POLL_MS;

	msm_igt_require(!access(path, R_OK), "no %s\n", path);
	reader.seen = mmap(NULL, sizeof(*reader.seen), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	msm_igt_assert(reader.seen != MAP_FAILED, "mmap: %d\n", -errno);
	reader.pid = fork();
	msm_igt_assert(reader.pid >= 0, "fork: %d\n", -errno);
	if (!reader.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		read_on(path, reader.seen);
	}
	while (!__atomic_load_n(&reader.seen->opened, __ATOMIC_ACQUIRE) &&
	       left--)
		usleep(POLL_MS * 1000);
	msm_igt_assert(reader.seen->opened, "%s cannot be opened\n", path);
	return reader;
}

static bool reader_saw(struct reader *reader, const void *what, size_t size)
{
	int left = gpu_fence_scaled_ms(OTHERS_MS) / POLL_MS;
	struct seen *seen = reader->seen;
	bool found;

	do {
		found = memmem(seen->data, __atomic_load_n(&seen->bytes,
							   __ATOMIC_ACQUIRE),
			       what, size);
		usleep(POLL_MS * 1000);
	} while (!found && left--);
	return found;
}

static bool reader_saw_job(struct reader *reader, const struct gpu_job *job)
{
	const u32 section[] = {
		RD_CMDSTREAM_ADDR, 3 * sizeof(u32), (u32)job->cmd_iova,
		job->cmd.count, job->cmd_iova >> 32,
	};

	return reader_saw(reader, section, sizeof(section));
}

static void reader_end(struct reader *reader)
{
	kill(reader->pid, SIGKILL);
	waitpid(reader->pid, NULL, 0);
	munmap(reader->seen, sizeof(*reader->seen));
}

/* Each job is named and found, and done. */
static void read_jobs(const void *arg)
{
	struct vm_train train;
	struct reader reader = reader_start(RD_FOLDER "rd");
	char name[64];
	u32 i;

	vm_train_open(&train);
	for (i = 0; i < VM_TRAIN_JOBS; i++) {
		vm_train_mark(&train, i);
		vm_train_submit(&train, i);
	}
	for (i = 0; i < VM_TRAIN_JOBS; i++) {
		msm_igt_assert_ok(vm_train_finish(&train, i));
		msm_igt_assert(vm_train_marked(&train, i), "lost job %u\n", i);
		msm_igt_assert(reader_saw_job(&reader, &train.jobs[i]),
			       "job %u is not in rd\n", i);
	}
	snprintf(name, sizeof(name), "/%d: fence=", getpid());
	msm_igt_assert(reader_saw(&reader, name, strlen(name)),
		       "\"%s\" is not in rd\n", name);
	reader_end(&reader);
	vm_train_close(&train);
}

/* The process that submits to a context of another one has another name. */
static void submit_as_another(struct vm_train *train, u32 i)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		program_invocation_name[0] = '#';
		status = vm_train_try(train, i, GPU_NO_FENCE);
		status = status ?: gpu_fence_wait(train->jobs[i].fence,
						  OTHERS_MS);
		_exit(status == -EIO ? 0 : FAILED);
	}
	msm_igt_assert(pid > 0 && waitpid(pid, &status, 0) == pid && !status,
		       "child %d: status %d\n", pid, status);
}

/* The job that hangs, and of the two that use the context, who submitted it */
static void read_hang(const void *arg)
{
	struct reader reader = reader_start(RD_FOLDER "hangrd");
	struct vm_train train, other;
	char name[64];

	vm_train_open(&train);
	vm_train_open(&other);
	vm_train_assert_alive(&train, 1);
	vm_train_hang(&train, 0);
	submit_as_another(&train, 0);
	msm_igt_assert(reader_saw_job(&reader, &train.jobs[0]),
		       "the job is not in hangrd\n");
	snprintf(name, sizeof(name), "offending task: %.15s (#%.20s",
		 program_invocation_short_name, program_invocation_name + 1);
	msm_igt_assert(reader_saw(&reader, name, strlen(name)),
		       "\"%s\" is not in hangrd\n", name);
	reader_end(&reader);
	vm_train_assert_alive(&other, 1);
	vm_train_close(&other);
	vm_train_close(&train);
}

const struct msm_igt_subtest vm_report_tests[] = {
	{ "slow-cmdline", "a hang, and a command line that takes forever to read",
	  slow_cmdline },
	{ "slow-submit", "a client that waits for that keeps nobody",
	  slow_submit },
	{ "rd", "jobs while somebody reads them from rd", read_jobs },
	{ "hangrd", "a hang while somebody reads hangrd: who it was",
	  read_hang },
};

const size_t vm_report_count = ARRAY_SIZE(vm_report_tests);
