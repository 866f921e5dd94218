package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Kinds of Git objects.
const (
	kindBlob   = "blob"
	kindTree   = "tree"
	kindCommit = "commit"
)

// object describes a Git object.
type object struct {
	id   ObjectID
	kind string
	size int64
}

var (
	errMissing   = errors.New("no such git object")
	errAmbiguous = errors.New("several git objects have an id that begins so")
)

func isMissing(err error) bool { return errors.Is(err, errMissing) || errors.Is(err, ErrDamaged) }

// catFile is one long-lived `git cat-file` that answers questions about objects. It is used by one caller at a time.
type catFile struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	stderr  *tail
	kill    context.CancelFunc
	used    time.Time
	version int // of the mirror's directory that it reads
}

func startCatFile(ctx context.Context, p program) (*catFile, error) {
	ctx, kill := context.WithCancel(ctx)
	c := &catFile{cmd: p.command(ctx, nil, nil, "cat-file", "--batch-command"), kill: kill}
	c.stderr = &tail{limit: maxMessage}
	c.cmd.Stderr = c.stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		kill()
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		kill()
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		kill()
		return nil, fmt.Errorf("starting git cat-file: %w", err)
	}
	c.in, c.out = in, bufio.NewReaderSize(out, 64<<10)
	return c, nil
}

// end stops the process and waits for it.
func (c *catFile) end() {
	c.in.Close()
	c.kill()
	c.cmd.Wait() //nolint:errcheck // it has been killed
}

// ask sends one command for one revision. With "contents" the content follows in c.out.
func (c *catFile) ask(command, revision string) (object, error) {
	if _, err := io.WriteString(c.in, command+" "+revision+"\n"); err != nil {
		return object{}, c.broken(err)
	}
	return c.answer()
}

// answer reads what comes to one command.
func (c *catFile) answer() (object, error) {
	line, err := c.out.ReadString('\n')
	if err != nil {
		return object{}, c.broken(err)
	}
	line = strings.TrimSuffix(line, "\n")
	switch {
	case strings.HasSuffix(line, " missing"):
		return object{}, errMissing
	case strings.HasSuffix(line, " ambiguous"):
		return object{}, errAmbiguous
	}
	fields := strings.Split(line, " ")
	if len(fields) != 3 {
		return object{}, c.broken(fmt.Errorf("unexpected answer %q", line))
	}
	o := object{kind: fields[1]}
	if o.id, err = ParseObjectID(fields[0]); err != nil {
		return object{}, c.broken(err)
	}
	if o.size, err = strconv.ParseInt(fields[2], 10, 64); err != nil {
		return object{}, c.broken(err)
	}
	return o, nil
}

// content reads what follows a "contents" answer.
func (c *catFile) content(o object) ([]byte, error) {
	data := make([]byte, o.size+1) // and a line feed
	if _, err := io.ReadFull(c.out, data); err != nil {
		return nil, c.broken(err)
	}
	return data[:o.size:o.size], nil
}

// brokenError is a process that must not be used again.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return "git cat-file: " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

func (c *catFile) broken(err error) error { return &brokenError{err} }
