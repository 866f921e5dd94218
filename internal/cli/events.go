package cli

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// recordEvents returns a recorder of Events about Applications, under the name
// that Argo CD's controller has. Similar Events are counted together, and a
// flood of them is held back. What is under way when ctx ends may be lost.
func (p *process) recordEvents(ctx context.Context) (record.EventRecorder, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering the types of Events: %w", err)
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: p.kubernetes.CoreV1().Events("")})
	return broadcaster.NewRecorder(scheme, corev1.EventSource{Component: "argocd-application-controller"}), nil
}
