package plugin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
)

// connections are the connections to plugins, by name. One is used until its socket is another, or it breaks.
type connections struct {
	dir        string
	maxMessage int

	mu   sync.Mutex
	open map[string]*connection
}

type connection struct {
	*grpc.ClientConn
	name   string
	socket fs.FileInfo

	// Guarded by connections.mu.
	users   int
	retired bool
}

const socketSuffix = ".sock"

// names are those of the plugins that have a socket, sorted.
func (c *connections) names() ([]string, error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing the sockets of plugins: %w; check ARGOCD_PLUGINSOCKFILEPATH", err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), socketSuffix); ok && e.Type() == fs.ModeSocket {
			names = append(names, name)
		}
	}
	return names, nil
}

// get gives the connection to a plugin; the error is fs.ErrNotExist when it has no socket. Give it back with put.
func (c *connections) get(name string) (*connection, error) {
	path := filepath.Join(c.dir, name+socketSuffix)
	if !fs.ValidPath(name) || strings.Contains(name, "/") {
		return nil, fmt.Errorf("%q cannot be the name of a plugin: %w", name, fs.ErrNotExist)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("%s is no socket: %w", path, fs.ErrNotExist)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.open[name]; known != nil {
		if os.SameFile(known.socket, info) && known.socket.ModTime().Equal(info.ModTime()) {
			known.users++
			return known, nil
		}
		c.retire(known)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	conn, err := grpc.NewClient("unix:"+absolute, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(protocol.Codec{}), grpc.MaxCallRecvMsgSize(c.maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("connecting to plugin %q: %w", name, err)
	}
	one := &connection{ClientConn: conn, name: name, socket: info, users: 1}
	if c.open == nil {
		c.open = map[string]*connection{}
	}
	c.open[name] = one
	return one, nil
}

// put gives a connection back. A broken one is not used again.
func (c *connections) put(one *connection, broken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one.users--
	if broken && !one.retired {
		c.retire(one)
	} else if one.retired && one.users == 0 {
		one.Close()
	}
}

// retire takes a connection out of use, and closes it after its last user; c.mu is held.
func (c *connections) retire(one *connection) {
	one.retired = true
	if c.open[one.name] == one {
		delete(c.open, one.name)
	}
	if one.users == 0 {
		one.Close()
	}
}

// close takes all connections out of use.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.open {
		c.retire(one)
	}
}
