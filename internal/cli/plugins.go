package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render/plugin"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/askpass"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/legacy"
)

// newPlugins makes what reaches config management plugins. serve lends them git
// credentials until its context ends. The caller closes the client.
func (p *process) newPlugins() (client *plugin.Client, serve func(context.Context), err error) {
	c := p.plugins
	size, err := messageSize(c.maxMessage)
	if err != nil {
		return nil, nil, err
	}
	dir := filepath.Join(p.dataDir, "plugins")
	o := plugin.ClientOptions{
		SocketDir: c.sockets, TempDir: filepath.Join(dir, "archives"), Exclude: c.exclude, UsePaths: c.usePaths,
		Timeout: time.Duration(c.timeout), MaxMessage: size, Logger: p.logger,
	}
	if err := os.MkdirAll(o.TempDir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("making the folder for what is sent to plugins: %w", err)
	}
	if c.legacy {
		p.logger.Warn("plugins of argocd-cm run in this process's container; what they do is limited by nothing else", "flag", "--enable-legacy-plugins")
		o.Legacy, err = legacy.New(legacy.Options{
			Plugins: func() []v1alpha1.ConfigManagementPlugin { return p.settings.Get().Rendering.Plugins },
			Dir:     filepath.Join(dir, "checkouts"), Environ: os.Environ(),
			Timeout: time.Duration(c.timeout), Grace: 10 * time.Second, MaxOutput: int64(size), Logger: p.logger,
		})
		if err != nil {
			return nil, nil, err
		}
	}
	serve = func(context.Context) {}
	if c.mayHaveSidecars() {
		o.AskPass = askpass.NewServer(c.askPassSocket)
		serve = func(ctx context.Context) {
			if err := o.AskPass.Run(ctx); err != nil {
				p.logger.Error("plugins get no git credentials", "error", err)
			}
		}
	}
	return plugin.NewClient(o), serve, nil
}

// mayHaveSidecars reports whether there is anybody to lend credentials to: a
// folder for sockets is mounted, or a socket for credentials is named.
func (c *pluginConfig) mayHaveSidecars() bool {
	sockets := c.sockets
	if sockets == "" {
		sockets = plugin.DefaultSocketDir
	}
	info, err := os.Stat(sockets)
	return c.askPassSocket != "" || err == nil && info.IsDir()
}
