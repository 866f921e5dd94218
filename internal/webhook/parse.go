package webhook

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Why a call is refused. None of them repeats what the caller sent.
var (
	// ErrUnknown says that the call carries no header of a service.
	ErrUnknown = errors.New("Unknown webhook event") //nolint:staticcheck // in the words of the interface
	// ErrRefused says that the caller does not know the secret.
	ErrRefused = errors.New("the caller did not prove to know the secret of the webhook")
	// ErrMalformed says that the body is not what the service sends.
	ErrMalformed = errors.New("the payload is not the JSON that this event has")
	// ErrUnsupported says that the service tells something that nobody waits for.
	ErrUnsupported = errors.New("event not defined to be parsed")
)

// service is one that sends events.
type service struct {
	// header is what every call of it carries.
	header string
	// keys are those of argocd-secret that calls are checked with.
	keys []string
	// genuine says whether the caller knows the secret, which is set.
	genuine func(call, settings.Webhooks) bool
	// checked says whether a secret is set.
	checked func(settings.Webhooks) bool
	// event reads the body. ErrUnsupported is for the name of an event that none is about.
	event func(name string, body []byte) (Event, error)
}

// call is what a caller sent.
type call struct {
	header http.Header
	body   []byte
}

// services are in the order of asking: Gogs and Gitea send the headers of GitHub too, with other signatures.
var services = []service{azureDevOps, gogs, gitHub, gitLab, bitbucket, bitbucketServer}

// Parse checks a call and reads what it tells.
func Parse(header http.Header, body []byte, secrets settings.Webhooks) (Event, error) {
	for _, from := range services {
		name := header.Get(from.header)
		if name == "" {
			continue
		}
		for _, key := range from.keys {
			if secrets.Closed[key] {
				return Event{}, ErrRefused
			}
		}
		if from.checked(secrets) && !from.genuine(call{header, body}, secrets) {
			return Event{}, ErrRefused
		}
		return from.event(name, unwrapped(header, body))
	}
	return Event{}, ErrUnknown
}

// unwrapped takes JSON out of a form, in which GitHub sends it unless told otherwise.
func unwrapped(header http.Header, body []byte) []byte {
	if !strings.HasPrefix(header.Get("Content-Type"), "application/x-www-form-urlencoded") || len(body) > 0 && body[0] == '{' {
		return body
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	return []byte(form.Get("payload"))
}

// read decodes a body.
func read(body []byte, into any) error {
	if json.Unmarshal(body, into) != nil {
		return ErrMalformed
	}
	return nil
}

// pushed is the event of a push to one reference.
func pushed(ref, defaultBranch, url string) (Event, error) {
	name := shortName(ref)
	return Event{URLs: []string{url}, Changes: []Change{{Revision: name, Head: name == shortName(defaultBranch)}}}.complete()
}

// maxName is the length of the longest reference that an event may name.
const maxName = 1024

// complete gives ErrMalformed for an event that does not say where something changed, and what.
func (e Event) complete() (Event, error) {
	if len(e.Keys()) == 0 || len(e.Changes) == 0 {
		return Event{}, ErrMalformed
	}
	for _, change := range e.Changes {
		if change.Revision == "" || len(change.Revision) > maxName {
			return Event{}, ErrMalformed
		}
	}
	return e, nil
}
