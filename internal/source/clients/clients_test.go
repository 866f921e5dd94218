package clients

import (
	"errors"
	"testing"
	"time"

	"github.com/fairlead-cd/fairlead/internal/source"
)

type client struct{ closed int }

func (c *client) Close() { c.closed++ }

func TestClientsAreKeptWhileTheyAreAskedFor(t *testing.T) {
	now := time.Unix(0, 0)
	k := Keep[*client](time.Minute, func() time.Time { return now })
	get := func(id string, repo source.Repository) *client {
		t.Helper()
		c, err := k.Get(id, repo, func() (*client, error) { return new(client), nil })
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	one, two := source.Repository{URL: "https://one"}, source.Repository{URL: "https://two"}
	first, other := get("1", one), get("2", two)
	if get("1", one) != first || first == other {
		t.Error("a repository does not keep its client")
	}
	renewed := one
	renewed.Password = "new"
	second := get("1", renewed)
	if second == first || first.closed != 1 {
		t.Error("changed credentials go on with the old client")
	}
	failure := errors.New("no such thing")
	if _, err := k.Get("3", one, func() (*client, error) { return nil, failure }); !errors.Is(err, failure) {
		t.Errorf("Get = %v, want the failure", err)
	}
	now = now.Add(time.Minute)
	get("1", renewed)
	now = now.Add(time.Second)
	k.letGo()
	if other.closed != 1 || second.closed != 0 {
		t.Errorf("closed %d times the one that is unused, %d the one in use", other.closed, second.closed)
	}
	if get("2", two) == other {
		t.Error("a closed client is given again")
	}
	if !k.Stop() || k.Stop() {
		t.Error("Stop does not tell the first call from the second")
	}
	if _, err := k.Get("1", renewed, nil); !errors.Is(err, source.ErrClosed) || second.closed != 0 {
		t.Errorf("Get after Stop = %v, closed %d times", err, second.closed)
	}
	k.Close()
	k.Close()
	if first.closed != 1 || second.closed != 1 {
		t.Errorf("closed %d and %d times", first.closed, second.closed)
	}
}
