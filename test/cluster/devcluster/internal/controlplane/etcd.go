package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// peerURL stands in the membership record that etcd keeps. Nothing listens
// there: the only member has no peers, and a fixed address lets the next start
// find itself in the record.
const peerURL = "http://127.0.0.1:2380"

// startEtcd opens the store below dir, waits until it serves, and returns it
// with the address for clients.
func startEtcd(ctx context.Context, dir, logFile string) (*embed.Etcd, string, error) {
	config := embed.NewConfig()
	config.Name = "devcluster"
	config.Dir = filepath.Join(dir, "etcd")
	config.LogLevel = "warn"
	config.LogOutputs = []string{logFile}
	config.WarningApplyDuration = time.Second
	config.WarningUnaryRequestDuration = time.Second
	anyPort := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config.ListenClientUrls = []url.URL{anyPort}
	config.AdvertiseClientUrls = []url.URL{anyPort}
	config.ListenPeerUrls = []url.URL{anyPort}
	peer, err := url.Parse(peerURL)
	if err != nil {
		return nil, "", fmt.Errorf("reading the peer address: %w", err)
	}
	config.AdvertisePeerUrls = []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	// A lone member elects itself after one election timeout.
	config.TickMs, config.ElectionMs = 100, 500
	// The page cache survives the end of the process, which is all that a
	// cluster for development has to survive.
	config.UnsafeNoFsync = true
	config.QuotaBackendBytes = 8 << 30
	config.EnableGRPCGateway = false

	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", fmt.Errorf("starting etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, "http://" + etcd.Clients[0].Addr().String(), nil
	case err := <-etcd.Err():
		etcd.Close()
		return nil, "", fmt.Errorf("starting etcd: %w", err)
	case <-etcd.Server.StopNotify():
		etcd.Close()
		return nil, "", errors.New("starting etcd: it stopped at once, see the log")
	case <-ctx.Done():
		etcd.Close()
		return nil, "", fmt.Errorf("starting etcd: %w", ctx.Err())
	}
}
