//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// renderBench measures what sources and rendering cost without a cluster: one Application for each namespace of a
// generated monorepo, each a chart with a dependency from a Helm repository. What the processor does for the memo, the
// mirror and the workers is all counted; the servers of the repositories are in this process, and are not.
type renderBench struct {
	options
	monorepo *chartMonorepo
	cmd      *exec.Cmd // the component
	ask      io.WriteCloser
	answers  *json.Decoder
	coldCPU  time.Duration
}

func rendering(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "fairlead-bench-")
	if err != nil {
		return fmt.Errorf("making a folder to work in: %w", err)
	}
	defer os.RemoveAll(dir)
	monorepo, err := newChartMonorepo(ctx, dir, o.namespaces)
	if err != nil {
		return err
	}
	defer monorepo.close()
	b := &renderBench{options: o, monorepo: monorepo}
	if err := b.start(ctx, dir); err != nil {
		return err
	}
	err = b.scenarios(ctx)
	b.ask.Close()
	if err := errors.Join(err, b.cmd.Wait()); err != nil {
		return err
	}
	return b.compareWithHelm(ctx, dir)
}

// start starts the component in a process of its own.
func (b *renderBench) start(ctx context.Context, dir string) error {
	binary, err := filepath.Abs(b.binary)
	if err != nil {
		return err
	}
	job, err := json.Marshal(componentJob{
		Dir: dir, Binary: binary, Repository: b.monorepo.repo.FileURL(), Namespaces: b.namespaces, Profile: b.profile,
	})
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.cmd = exec.CommandContext(ctx, self, "-component", string(job))
	b.cmd.Stderr = os.Stderr
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if b.ask, err = b.cmd.StdinPipe(); err != nil {
		return err
	}
	b.answers = json.NewDecoder(out)
	if err := b.cmd.Start(); err != nil {
		return fmt.Errorf("starting the component: %w", err)
	}
	return nil
}

func (b *renderBench) scenarios(ctx context.Context) error {
	m := b.monorepo
	for i, scenario := range []struct {
		name   string
		change func() (gitserver.Change, error)
	}{
		{"cold, all rendered", nil},
		{"a commit of one file", func() (gitserver.Change, error) { return m.changeOne(), nil }},
		{"a commit of the README", func() (gitserver.Change, error) { return m.changeReadme(), nil }},
		{"a new version of the shared chart, for all", m.changeChart},
	} {
		if scenario.change != nil {
			change, err := scenario.change()
			if err != nil {
				return err
			}
			if _, err := m.repo.Apply(ctx, change); err != nil {
				return err
			}
		}
		cpu, err := b.measure(scenario.name)
		if err != nil {
			return fmt.Errorf("%s: %w", scenario.name, err)
		}
		if i == 0 {
			b.coldCPU = cpu
			split := cpuByProgram(b.cmd.Process.Pid)
			for _, program := range slices.Sorted(maps.Keys(split)) {
				fmt.Printf("  %-50s %10s  %7.2f CPU-s\n", "of which "+program, "", split[program].Seconds())
			}
		}
	}
	now, peak, err := memoryOf(b.cmd.Process.Pid)
	if err != nil {
		return err
	}
	fmt.Printf("%-52s %d MiB, peak %d MiB, with its workers\n", "memory of the repo component", now, peak)
	return nil
}

// measure has the component do a round. The time is that after the poll, the processor time that of both.
func (b *renderBench) measure(name string) (time.Duration, error) {
	began, err := cpuOf(b.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	if _, err := io.WriteString(b.ask, "\n"); err != nil {
		return 0, err
	}
	var round componentRound
	if err := b.answers.Decode(&round); err != nil {
		return 0, fmt.Errorf("the component has ended: %w", err)
	}
	if round.Error != "" {
		return 0, errors.New(round.Error)
	}
	ended, err := cpuOf(b.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	fmt.Printf("%-52s %8.3f s  %7.2f CPU-s  %d renders\n", name, round.Wall.Seconds(), (ended - began).Seconds(), round.Renders)
	return ended - began, nil
}
