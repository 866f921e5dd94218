package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// controlPlaneNamespace is where Applications live and Fairlead keeps its settings.
const controlPlaneNamespace = "argocd"

// repository is the name under which the monorepo is served.
const repository = "monorepo.git"

// stopWithin bounds how long a program may take to end after SIGTERM.
const stopWithin = 20 * time.Second

// demo is one run of the demo.
type demo struct {
	options
	screen *screen

	cluster  *cluster
	git      *gitserver.Server
	repo     *gitserver.Repo
	fairlead *process
	listen   string // address of the page and the API
	metrics  string // address of the metrics

	states *states
	began  time.Time
}

// run tells the whole story and returns when ctx ends, a program dies, or, with Once, when the outcome is known.
func run(ctx context.Context, o options, s *screen) (err error) {
	unlock, err := claim(o.StateDir)
	if err != nil {
		return err
	}
	defer unlock()
	d := &demo{options: o, screen: s, began: time.Now()}
	defer func() {
		if stopErr := d.stop(ctx); err == nil {
			err = stopErr
		}
	}()

	for _, step := range []func(context.Context) error{
		d.startCluster, d.serveRepository, d.installTypes, d.startFairlead, d.createApplications,
	} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return nil // interrupted while preparing
			}
			return err
		}
	}
	return d.follow(ctx)
}

// claim takes hold of the state folder for this run and empties it. Two demos side by side need two folders.
func claim(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("making the demo's folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the demo's folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("a demo is already running on %s (a second one needs --state of its own)", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("emptying the demo's folder: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == "lock" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			lock.Close()
			return nil, fmt.Errorf("emptying the demo's folder: %w", err)
		}
	}
	return func() { lock.Close() }, nil
}

// serveRepository makes a Git repository of the monorepo and serves it on loopback.
func (d *demo) serveRepository(ctx context.Context) error {
	port, err := d.port("the Git repository", d.GitPort)
	if err != nil {
		return err
	}
	d.git, err = gitserver.New(gitserver.Options{
		Dir:     filepath.Join(d.StateDir, "git"),
		Address: "127.0.0.1:" + strconv.Itoa(port),
	})
	if err != nil {
		return err
	}
	if d.repo, err = d.git.CreateRepository(ctx, repository, os.DirFS(d.Monorepo)); err != nil {
		return err
	}
	d.screen.Step("%s is served at %s", d.Monorepo, d.repo.URL())
	return nil
}

// startFairlead starts the program and waits until it says that it is ready.
func (d *demo) startFairlead(ctx context.Context) error {
	port, err := d.port("the page and the API", d.Port)
	if err != nil {
		return err
	}
	metrics, err := d.port("the metrics", d.MetricsPort)
	if err != nil {
		return err
	}
	d.listen, d.metrics = "127.0.0.1:"+strconv.Itoa(port), "127.0.0.1:"+strconv.Itoa(metrics)
	args := []string{
		"run", "--namespace", controlPlaneNamespace, "--insecure", "--disable-auth",
		"--listen", d.listen, "--metrics-listen", d.metrics,
		"--data-dir", filepath.Join(d.StateDir, "data"),
		"--persist-resource-health", // so that the table can say which object an application waits for
	}
	// On the user's own cluster the program reads KUBECONFIG as the demo does, so that lists of files work.
	if d.cluster.kubeconfig != "" {
		args = append(args, "--kubeconfig", d.cluster.kubeconfig)
	}
	began := time.Now()
	d.fairlead, err = start("fairlead", filepath.Join(d.StateDir, "fairlead.log"), d.Fairlead, args...)
	if err != nil {
		return err
	}
	if err := d.fairlead.waitReady(ctx, "http://"+d.metrics+"/readyz"); err != nil {
		return err
	}
	d.screen.Step("fairlead is up after %s", seconds(began))
	return nil
}

// follow shows the Applications until the end.
func (d *demo) follow(ctx context.Context) error {
	var deadline <-chan time.Time
	if d.Once {
		timer := time.NewTimer(d.Deadline)
		defer timer.Stop()
		deadline = timer.C
	}
	settled := false
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.cluster.done():
			return d.cluster.process.failure()
		case <-d.fairlead.done:
			return d.fairlead.failure()
		case <-deadline:
			d.screen.Freeze()
			return fmt.Errorf("not all applications became Synced and Healthy within %s:\n%s", d.Deadline, d.states.lacking())
		case <-tick.C:
			if !settled {
				d.screen.Table(d.states.all(), time.Since(d.began))
			}
		case change := <-d.states.changes:
			d.states.apply(change)
			if err := d.syncByHand(ctx, change); err != nil {
				return err
			}
			if settled {
				d.screen.Change(change)
				continue
			}
			if d.screen.Table(d.states.all(), time.Since(d.began)); !d.states.settled() {
				continue
			}
			settled = true
			d.screen.Freeze()
			d.screen.Step("all Synced and Healthy after %s", seconds(d.began))
			if d.Once {
				return nil
			}
			d.hints()
		}
	}
}

// stop ends everything that was started, in the opposite order.
func (d *demo) stop(ctx context.Context) error {
	d.screen.Freeze()
	var errs []error
	// The end must not be cut short by the signal that asked for it.
	ctx = context.WithoutCancel(ctx)
	if d.Mine && d.fairlead != nil {
		errs = append(errs, d.deleteApplications(ctx))
	}
	if d.fairlead != nil {
		errs = append(errs, d.fairlead.stop(stopWithin))
	}
	if d.git != nil {
		errs = append(errs, d.git.Close())
	}
	if d.cluster != nil && d.cluster.process != nil {
		errs = append(errs, d.cluster.process.stop(stopWithin))
	}
	err := errors.Join(errs...)
	if err == nil && d.git != nil {
		d.screen.Step("stopped; logs and state are left in %s", d.StateDir)
	}
	return err
}

// seconds is the time since began, for people.
func seconds(began time.Time) string {
	return fmt.Sprintf("%.1f s", time.Since(began).Seconds())
}
