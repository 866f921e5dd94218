package worker

import (
	"debug/elf"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// niceness of workers: whoever answers users and watches clusters goes first.
const niceness = 5

// childAttributes make the child end with its parent, and with all its own children.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) } // it may have ended already

// confineThread takes rights from the calling thread, and so from the processes that it starts: as many as the kernel
// allows, because the limits of time and memory do not depend on it.
func confineThread(binary string) {
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, niceness)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return // Landlock demands it
	}
	landlock(binary)
}

// landlock leaves nothing of the file system but what starting the binary needs, and no TCP.
func landlock(binary string) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return
	}
	attributes := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1} // the rights of the first version
	if version >= 2 {
		attributes.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		attributes.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 4 {
		attributes.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= 5 {
		attributes.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if version >= 6 {
		attributes.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attributes)), unsafe.Sizeof(attributes), 0) //nolint:gosec // how a system call takes it
	if errno != 0 {
		return
	}
	defer unix.Close(int(fd))
	for _, path := range needed(binary) {
		allow(int(fd), path)
	}
	_, _, _ = unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0)
}

// needed are the files and folders without which the binary does not start.
func needed(binary string) []string {
	paths := []string{binary}
	if file, err := elf.Open(binary); err == nil {
		defer file.Close()
		if file.Section(".interp") != nil { // it has shared libraries
			paths = append(paths, "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/etc/ld.so.preload")
		}
	}
	if raceDetector {
		paths = append(paths, "/proc")
	}
	return paths
}

// allow adds a file or a folder that may be read and executed.
func allow(ruleset int, path string) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return // what is not there need not be allowed
	}
	defer unix.Close(fd)
	rights := uint64(unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE)
	var stat unix.Stat_t
	if unix.Fstat(fd, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		rights |= unix.LANDLOCK_ACCESS_FS_READ_DIR
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, _ = unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0) //nolint:gosec // how a system call takes it
}
