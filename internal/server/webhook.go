package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/webhook"
)

const (
	// maxHookBytes is how much the bodies of webhooks may take together: whoever sends them is a stranger until the whole
	// body is there.
	maxHookBytes = 256 << 20
	// asksAtOnce is how many Applications are annotated at once.
	asksAtOnce = 8
)

// webhook takes what a Git service or a registry tells, and answers before anything is done about it. Errors are plain
// text, which the services show to whoever set them up.
func (s *Server) webhook(w http.ResponseWriter, r *http.Request, _ caller) error {
	secrets := s.options.Settings().Webhooks
	body, size, err := s.readHook(http.MaxBytesReader(w, r.Body, secrets.MaxPayload))
	defer s.hookBytes.Add(-size)
	var event webhook.Event
	if err == nil {
		event, err = webhook.Parse(r.Header, body, secrets)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		s.hooks.Add(event)
		return nil // 200, without a body
	case errors.Is(err, errManyHooks):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	case errors.Is(err, webhook.ErrUnknown):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case errors.As(err, &tooLarge), errors.Is(err, webhook.ErrMalformed):
		http.Error(w, fmt.Sprintf("Webhook processing failed: The payload is either too large or corrupted. "+
			"Please check the payload size (must be under %d MB) and ensure it is valid JSON", secrets.MaxPayload>>20), http.StatusBadRequest)
	default:
		http.Error(w, "Webhook processing failed: "+err.Error(), http.StatusBadRequest)
	}
	if errors.Is(err, webhook.ErrRefused) {
		if count, tell := s.refused.next(s.options.Now()); tell {
			s.options.Logger.Warn("webhooks are refused whose senders do not know the secret; this is told once a minute", "from", r.RemoteAddr, "count", count)
		}
	}
	return nil
}

var errManyHooks = errors.New("Queue is full, discarding webhook payload") //nolint:staticcheck // in the words of the interface

// readHook reads a body, and says how many bytes it has counted for it, also when it fails.
func (s *Server) readHook(from io.Reader) (body []byte, size int64, err error) {
	var buffer bytes.Buffer
	for {
		n, err := io.CopyN(&buffer, from, 64<<10)
		size += n
		if s.hookBytes.Add(n) > maxHookBytes {
			return nil, size, errManyHooks
		}
		if errors.Is(err, io.EOF) {
			return buffer.Bytes(), size, nil
		}
		if err != nil {
			return nil, size, err
		}
	}
}

// lookAgain has Applications compared with what a repository holds now: by the controller of this process, or by the
// annotation that the controllers of others wait for.
func (s *Server) lookAgain(ctx context.Context, key string, apps []*v1alpha1.Application) {
	s.options.Logger.Info("a webhook told of a push", "repository", key, "applications", len(apps))
	if s.options.Pushed != nil {
		apps = s.options.Pushed(ctx, key, apps)
	}
	var group errgroup.Group // one that fails does not keep the others from being asked
	group.SetLimit(asksAtOnce)
	for _, app := range apps {
		if _, asked := app.Annotations[v1alpha1.AnnotationRefresh]; !asked {
			group.Go(func() error { return s.askForRefresh(ctx, app) })
		}
	}
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		s.options.Logger.Warn("not every Application is refreshed after a webhook", "repository", key, "error", err)
	}
}

func (s *Server) askForRefresh(ctx context.Context, app *v1alpha1.Application) error {
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationRefresh, v1alpha1.RefreshTypeNormal)
	_, err := s.options.Client(app.Namespace).Patch(ctx, app.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("ask for a refresh of Application %s in namespace %s: %w", app.Name, app.Namespace, err)
	}
	return nil
}

// refusals counts what is told once a minute.
type refusals struct {
	mu    sync.Mutex
	since time.Time // of the last that was told
	count int
}

// next counts one more, and says whether it is time to tell how many there were.
func (r *refusals) next(now time.Time) (count int, tell bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	if now.Sub(r.since) < time.Minute {
		return 0, false
	}
	count, r.since, r.count = r.count, now, 0
	return count, true
}
