package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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
	// So many objects that git writes a pack, of bytes that do not shrink on the way.
	random := rand.NewChaCha8([32]byte{})
	noise := map[string]string{}
	for n := range 150 {
		text := make([]byte, 32<<10)
		_, _ = random.Read(text) // never fails
		noise[fmt.Sprintf("noise-%d.bin", n)] = string(text)
	}
	a.push(t, noise)
	server.SetFault(gitserver.Fault{Only: "fetch", Truncate: 2 << 20, Hang: true})

	p := i.start(t, nil, "--data-dir", data)
	var locks []string
	eventually(t, "a fetch", func() (err error) {
		// A mirror is made before it is locked and fetched into, and that leaves files too.
		locks, err = filepath.Glob(filepath.Join(data, "repositories", "git", "*.lock"))
		if found := leftovers(t, data); err != nil || len(found) == 0 || len(locks) != 1 {
			return errors.Join(fmt.Errorf("being written: %v, locks of mirrors: %v", found, locks), err)
		}
		return nil
	})
	p.kill(t)
	server.SetFault(gitserver.Fault{}) // ends the git that is left alone
	eventually(t, "the end of git", func() error {
		f, err := os.Open(locks[0])
		if err != nil {
			return err
		}
		defer f.Close()
		return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	})

	i.start(t, nil, "--data-dir", data)
	const lease = 15 * time.Second // which the killed one has still
	a.awaitWithin(t, lease+2*soon, synced, noConditions)
	a.awaitData(t, "one", "v", "1")
	if found := leftovers(t, data); len(found) > 0 {
		t.Errorf("left behind: %v", found)
	}
}
