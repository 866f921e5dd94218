//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is the process that is measured.
type program struct {
	cmd  *exec.Cmd
	done chan error
}

func start(binary string, verbose bool, args ...string) (*program, error) {
	cmd := exec.Command(binary, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if verbose {
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w; run make build first", binary, err)
	}
	p := &program{cmd: cmd, done: make(chan error, 1)}
	go func() { p.done <- cmd.Wait() }()
	return p, nil
}

func (p *program) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping the program: %w", err)
	}
	return <-p.done
}

// cpu is the processor time of the process and of its children: of those that
// live, and of those that have ended and were waited for.
func (p *program) cpu() (time.Duration, error) { return cpuOf(p.cmd.Process.Pid) }

func cpuOf(process int) (time.Duration, error) {
	var ticks int64
	for _, pid := range family(process) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			if pid != process {
				continue // it has just ended, and counts for its parent now
			}
			return 0, fmt.Errorf("reading the processor time: %w", err)
		}
		// The second field is the name in parentheses, which may hold spaces.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		const utime, stime, cutime, cstime = 11, 12, 13, 14 // counted after the name
		for _, i := range []int{utime, stime, cutime, cstime} {
			n, err := strconv.ParseInt(fields[i], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading the processor time: %w", err)
			}
			ticks += n
		}
	}
	const ticksPerSecond = 100 // USER_HZ, the same on every Linux
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// cpuByProgram is the processor time of a process and of its living children by the names of their programs.
func cpuByProgram(process int) map[string]time.Duration {
	by := map[string]time.Duration{}
	for _, pid := range family(process) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		fields := strings.Fields(string(stat[end+1:]))
		const utime, stime, ticksPerSecond = 11, 12, 100
		user, _ := strconv.Atoi(fields[utime])
		system, _ := strconv.Atoi(fields[stime])
		by[string(stat[begin+1:end])] += time.Duration(user+system) * time.Second / ticksPerSecond
	}
	return by
}

// memory is the present resident size of the process and its children together, and the sum of their peaks, in MiB.
func (p *program) memory() (now, peak int, err error) { return memoryOf(p.cmd.Process.Pid) }

// memoryOf counts the pages of a program's file once, however many processes run it: they are the same memory.
func memoryOf(process int) (now, peak int, err error) {
	files := map[string]int{}
	for _, pid := range family(process) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			if pid != process {
				continue
			}
			return 0, 0, fmt.Errorf("reading the memory: %w", err)
		}
		read := func(field string) int {
			_, rest, _ := strings.Cut(string(status), field+":")
			kib, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
			return kib
		}
		_, name, _ := strings.Cut(string(status), "Name:")
		name = strings.Fields(name + " ?")[0]
		now, peak = now+read("VmRSS")-read("RssFile"), peak+read("VmHWM")-read("RssFile")
		files[name] = max(files[name], read("RssFile"))
	}
	for _, shared := range files {
		now, peak = now+shared, peak+shared
	}
	return now / 1024, peak / 1024, nil
}

// family is a process and all that it has started and that live.
func family(process int) []int {
	all := []int{process}
	for i := 0; i < len(all); i++ {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[i]))
		for _, list := range lists {
			text, err := os.ReadFile(list)
			if err != nil {
				continue // the thread has ended
			}
			for _, child := range strings.Fields(string(text)) {
				if pid, err := strconv.Atoi(child); err == nil {
					all = append(all, pid)
				}
			}
		}
	}
	return all
}
