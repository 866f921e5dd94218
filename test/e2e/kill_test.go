package e2e

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fairlead-cd/fairlead/test/gitserver"
)

// leftovers are the unfinished files in a data directory.
func leftovers(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	//nolint:errcheck // files come and go while git runs
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // the same
		}
		name := d.Name()
		if strings.HasPrefix(name, "tmp_") || strings.HasPrefix(name, "new-") || strings.HasSuffix(name, ".new") ||
			strings.HasPrefix(name, "incoming-") {
			found = append(found, path)
		}
		return nil
	})
	return found
}

func TestAKillInTheMiddleOfAFetchLeavesNothing(t *testing.T) {
	t.Parallel()
	i := install(t)
	data := filepath.Join(t.TempDir(), "data")
	server := gitserver.Start(t, gitserver.Options{})
	a := i.fromServer(t, server, (*gitserver.Repo).URL)
	noise := make([]byte, 4<<20) // does not shrink on the way
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(noise) // never fails
	a.push(t, map[string]string{"noise.bin": string(noise)})
	server.SetFault(gitserver.Fault{Only: "fetch", Truncate: 2 << 20, Hang: true})

	p := i.start(t, nil, "--data-dir", data)
	eventually(t, "a fetch", func() error {
		if found := leftovers(t, data); len(found) == 0 {
			return fmt.Errorf("nothing is being written")
		}
		return nil
	})
	p.kill(t)
	server.SetFault(gitserver.Fault{}) // ends the git that is left alone
	locks, err := filepath.Glob(filepath.Join(data, "repositories", "git", "*.lock"))
	if err != nil || len(locks) != 1 {
		t.Fatalf("locks of mirrors: %v, %v", locks, err)
	}
	eventually(t, "the end of git", func() error {
		f, err := os.Open(locks[0])
		if err != nil {
			return err
		}
		defer f.Close()
		return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	})

	i.start(t, nil, "--data-dir", data)
	a.awaitWithin(t, soon, synced, noConditions)
	a.awaitData(t, "one", "v", "1")
	if found := leftovers(t, data); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
}
