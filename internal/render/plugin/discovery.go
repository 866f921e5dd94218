package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// maxDiscoveries bounds how many folders' plugins are remembered.
const maxDiscoveries = 50_000

// discoveries remember which plugin takes a folder, by the folder's object id and by the plugins that there were.
type discoveries struct {
	mu      sync.Mutex
	plugins string
	names   map[string]string
}

func (d *discoveries) get(plugins, key string) (string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.plugins != plugins {
		return "", false
	}
	name, ok := d.names[key]
	return name, ok
}

func (d *discoveries) put(plugins, key, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.plugins != plugins || len(d.names) >= maxDiscoveries {
		d.plugins, d.names = plugins, map[string]string{}
	}
	d.names[key] = name
}

// Discover finds the plugin whose rule takes a source; it is empty when there is none. The same plugins are not asked
// again about a folder that is the same: a rule is about the folder, so that what lies beside it does not count. A rule
// that fails, such as a command that finds nothing, does not match. But a plugin that does not answer is an error unless
// another takes the source: what would be made of the source without it is not what people mean.
func (c *Client) Discover(ctx context.Context, req Request) (string, error) {
	names, err := c.conns.names()
	if err != nil || len(names) == 0 {
		return "", err
	}
	plugins := c.conns.identity(names)
	key := ""
	if id := render.TreeID(req.Files, req.Path); id != "" {
		key = id + "\x00" + req.Path
		if name, ok := c.found.get(plugins, key); ok && !req.Fresh {
			return name, nil
		}
	}
	name := ""
	err = c.withPlugin(ctx, req, func(_ context.Context, s *session) error {
		name = s.conn.name
		return nil
	})
	if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrTimeout) || err != nil && !errors.Is(err, ErrNoPlugin) {
		return "", err
	}
	if key != "" {
		c.found.put(plugins, key, name)
	}
	return name, nil
}

// identity changes when a plugin comes, goes, or is started again, perhaps with another rule.
func (c *connections) identity(names []string) string {
	var id strings.Builder
	for _, name := range names {
		fmt.Fprintf(&id, "%s\x00", name)
		if info, err := os.Lstat(filepath.Join(c.dir, name+socketSuffix)); err == nil {
			fmt.Fprintf(&id, "%d\x00", info.ModTime().UnixNano())
		}
	}
	return id.String()
}
