package controlplane

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	manageroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"

	"github.com/fairlead-cd/fairlead/test/cluster/devcluster/internal/pki"
)

// run blocks until its context ends or the component fails.
type run func(ctx context.Context) error

// newAPIServer prepares kube-apiserver on listener.
func newAPIServer(ctx context.Context, listener net.Listener, etcd string, certs pki.Dir) (run, error) {
	pretendToBe("kube-apiserver")
	options := apiserveroptions.NewServerRunOptions()
	if err := parse(options.Flags(), apiServerFlags(etcd, certs)); err != nil {
		return nil, fmt.Errorf("configuring kube-apiserver: %w", err)
	}
	options.SecureServing.Listener = listener
	options.SecureServing.BindPort = listener.Addr().(*net.TCPAddr).Port
	if err := options.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, fmt.Errorf("setting feature gates: %w", err)
	}
	completed, err := options.Complete(ctx)
	if err != nil {
		return nil, fmt.Errorf("configuring kube-apiserver: %w", err)
	}
	if errs := completed.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("configuring kube-apiserver: %v", errs)
	}
	return func(ctx context.Context) error { return apiserver.Run(ctx, completed) }, nil
}

// newScheduler prepares kube-scheduler; the API server must answer already.
func newScheduler(ctx context.Context, kubeconfig string) (run, error) {
	pretendToBe("kube-scheduler")
	options := scheduleroptions.NewOptions()
	if err := parse(*options.Flags, schedulerFlags(kubeconfig)); err != nil {
		return nil, fmt.Errorf("configuring kube-scheduler: %w", err)
	}
	config, instance, err := scheduler.Setup(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("configuring kube-scheduler: %w", err)
	}
	return func(ctx context.Context) error { return scheduler.Run(ctx, config, instance) }, nil
}

// newControllerManager prepares kube-controller-manager; the API server must
// answer already. It has to be the last component, because it goes on making
// clients while it runs.
func newControllerManager(ctx context.Context, kubeconfig string, certs pki.Dir) (run, error) {
	pretendToBe("kube-controller-manager")
	options, err := manageroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, fmt.Errorf("configuring kube-controller-manager: %w", err)
	}
	known, off, aliases := manager.KnownControllers(), manager.ControllersDisabledByDefault(), manager.ControllerAliases()
	flags := options.Flags(known, off, aliases)
	options.ParsedFlags = &flags
	if err := parse(flags, controllerManagerFlags(kubeconfig, certs)); err != nil {
		return nil, fmt.Errorf("configuring kube-controller-manager: %w", err)
	}
	config, err := options.Config(ctx, known, off, aliases)
	if err != nil {
		return nil, fmt.Errorf("configuring kube-controller-manager: %w", err)
	}
	return func(ctx context.Context) error { return manager.Run(ctx, config.Complete()) }, nil
}

// pretendToBe makes clients created from now on carry the name of a component.
// They take it from os.Args, and the API server takes the field manager from
// them: a Deployment's status must belong to kube-controller-manager here as
// it does everywhere else.
func pretendToBe(component string) { os.Args[0] = component }

func parse(sets cliflag.NamedFlagSets, args []string) error {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		flags.AddFlagSet(set)
	}
	return flags.Parse(args)
}
