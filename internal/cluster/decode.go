package cluster

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/fairlead-cd/fairlead/internal/tracking"
)

// decoder turns the JSON of one kind's objects into what is kept of them.
type decoder struct {
	gvk     schema.GroupVersionKind
	tracker tracking.Tracker
	// wanted tells whether an application asked for the object to be kept whole.
	wanted func(Key) bool
	// health assesses objects whose body is not kept; may be nil.
	health  func(*unstructured.Unstructured) (status, message string, ok bool)
	strings *interner
}

// parts are the pieces of an object's JSON that the decoder looks at, slices of it.
type parts struct {
	meta, spec, status []byte
	marks              tracking.Marks
	revision           string
	labels             string // of kinds whose labels are kept
	account            Owner  // the ServiceAccount that a Secret holds a token of
}

// decode reads one object. The result does not refer to data.
func (d *decoder) decode(data []byte) (*Object, error) {
	p := &parts{}
	err := members(data, func(key, value []byte) error {
		switch string(key) {
		case "metadata":
			p.meta = value
		case "spec":
			p.spec = value
		case "status":
			p.status = value
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading a %s: %w", d.gvk.Kind, err)
	}
	o := &Object{Key: Key{Group: d.gvk.Group, Kind: d.gvk.Kind}, Version: d.gvk.Version}
	if p.meta == nil {
		return nil, fmt.Errorf("reading a %s: %w: it has no metadata", d.gvk.Kind, errJSON)
	}
	if err := d.metadata(o, p); err != nil {
		return nil, fmt.Errorf("reading the metadata of %s: %w", o.Key, err)
	}
	p.marks.Group, p.marks.Kind, p.marks.Namespace, p.marks.Name = o.Group, o.Kind, o.Namespace, o.Name
	// Endpoints carry the labels of the Service that they belong to, but no reference to it.
	p.marks.Owned = len(o.Owners) > 0 || d.gvk.GroupKind() == endpoints
	if d.gvk.GroupKind() == secret && len(o.Owners) == 0 && p.account.UID != "" {
		o.Owners = []Owner{p.account} // there is no reference to it, but it goes with it
	}
	if app, ok := d.tracker.OwnerOf(p.marks); ok {
		o.App = d.strings.of(app)
	}
	if err := d.details(o, p, data); err != nil {
		return nil, fmt.Errorf("reading %s: %w", o.Key, err)
	}
	return o, nil
}

func (d *decoder) metadata(o *Object, p *parts) error {
	return members(p.meta, func(key, value []byte) (err error) {
		switch string(key) {
		case "name":
			o.Name = text(value)
		case "namespace":
			o.Namespace = d.strings.json(value)
		case "uid":
			o.UID = types.UID(text(value))
		case "resourceVersion":
			o.ResourceVersion = text(value)
		case "generation":
			o.Generation, err = strconv.ParseInt(string(value), 10, 64)
		case "creationTimestamp":
			o.Created = timestamp(value)
		case "deletionTimestamp":
			o.Deleting = timestamp(value)
		case "ownerReferences":
			o.Owners, err = d.owners(value)
		case "labels":
			err = d.labels(p, value)
		case "annotations":
			err = d.annotations(p, value)
		}
		return err
	})
}

func (d *decoder) labels(p *parts, value []byte) error {
	if gk := d.gvk.GroupKind(); (gk == pod || gk == node) && !isNull(value) {
		p.labels = d.strings.bytes(value)
	}
	if d.tracker.Method != tracking.MethodLabel || isNull(value) {
		return nil
	}
	want := d.tracker.Key()
	return members(value, func(key, value []byte) error {
		if string(key) == want {
			p.marks.Label = text(value)
		}
		return nil
	})
}

func (d *decoder) annotations(p *parts, value []byte) error {
	if isNull(value) {
		return nil
	}
	return members(value, func(key, value []byte) error {
		switch string(key) {
		case tracking.AnnotationTrackingID:
			p.marks.TrackingID = text(value)
		case tracking.AnnotationInstallationID:
			p.marks.InstallationID = text(value)
		case "deployment.kubernetes.io/revision":
			p.revision = text(value)
		case "kubernetes.io/service-account.name":
			p.account.APIVersion, p.account.Kind, p.account.Name = "v1", "ServiceAccount", d.strings.json(value)
		case "kubernetes.io/service-account.uid":
			p.account.UID = types.UID(d.strings.json(value))
		}
		return nil
	})
}

func (d *decoder) owners(value []byte) (out []Owner, err error) {
	err = elements(value, func(value []byte) error {
		var o Owner
		err := members(value, func(key, value []byte) error {
			switch string(key) {
			case "apiVersion":
				o.APIVersion = d.strings.json(value)
			case "kind":
				o.Kind = d.strings.json(value)
			case "name":
				o.Name = d.strings.json(value)
			case "uid":
				o.UID = types.UID(d.strings.json(value))
			case "controller":
				o.Controller = string(value) == "true"
			}
			return nil
		})
		out = append(out, o)
		return err
	})
	return out, err
}

func timestamp(value []byte) time.Time {
	t, _ := time.Parse(time.RFC3339, text(value)) // null is the zero time
	return t
}

// decodeBody reads a whole object.
func decodeBody(body []byte) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(body, &u.Object); err != nil {
		return nil, err
	}
	return u, nil
}

// keep stores a copy of the body that is no larger than its content.
func keep(body []byte) []byte { return bytes.Clone(bytes.TrimSpace(body)) }
