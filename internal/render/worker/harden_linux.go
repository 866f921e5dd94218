package worker

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// harden takes rights from the worker itself.
func harden() error {
	// Nobody reads this process's memory, and it leaves no image of it behind.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbidding memory images: %w", err)
	}
	for _, l := range []struct {
		resource int
		value    uint64
	}{{unix.RLIMIT_CORE, 0}, {unix.RLIMIT_FSIZE, 0}, {unix.RLIMIT_NOFILE, 64}} {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return fmt.Errorf("setting resource limit %d: %w", l.resource, err)
		}
	}
	closeInherited()
	denySystemCalls()
	return nil
}

// closeInherited closes what the parent had open without knowing: files, sockets and pipes that it had from its own
// parent. What has no type is of this process's runtime.
func closeInherited() {
	const few = 64
	_ = unix.CloseRange(few, 1<<31-1, 0) // older kernels do not have it
	for fd := 3; fd < few; fd++ {
		var stat unix.Stat_t
		if unix.Fstat(fd, &stat) == nil && stat.Mode&unix.S_IFMT != 0 {
			unix.Close(fd)
		}
	}
}

// memoryHeadroom is how much higher than the worker's own limit the kernel's is: the runtime takes address space in
// pieces of 64 MiB, and more of it than it uses.
const memoryHeadroom = 128 << 20

// limitMemory has the kernel refuse memory to a worker that has just started. It is the second line: the worker watches
// itself, but may be too busy taking memory.
func limitMemory(pid int, limit int64) error {
	if limit <= 0 || raceDetector {
		return nil
	}
	data, err := dataSize(pid)
	if err != nil {
		return fmt.Errorf("reading how much memory it has: %w", err)
	}
	most := data + uint64(limit) + memoryHeadroom
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: most, Max: most}, nil); err != nil {
		return fmt.Errorf("limiting its memory: %w", err)
	}
	return nil
}

// dataSize is the writable memory of a process that RLIMIT_DATA counts.
func dataSize(pid int) (uint64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmData:"); ok {
			kilobytes, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmData", pid)
}
