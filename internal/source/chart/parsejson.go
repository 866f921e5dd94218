package chart

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/fairlead-cd/fairlead/internal/alias"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// listed is an entry of an index as JSON or YAML libraries read it.
type listed struct {
	Version    string   `json:"version" yaml:"version"`
	AppVersion string   `json:"appVersion" yaml:"appVersion"`
	URLs       []string `json:"urls" yaml:"urls"`
	Digest     string   `json:"digest" yaml:"digest"`
	Created    string   `json:"created" yaml:"created"`
	Deprecated bool     `json:"deprecated" yaml:"deprecated"`
}

func (l listed) entry() (one entry, ok bool) {
	one.Deprecated = l.Deprecated
	one.set("version", l.Version)
	one.set("appVersion", l.AppVersion)
	one.set("digest", l.Digest)
	one.set("created", l.Created)
	if len(l.URLs) > 0 && len(l.URLs[0]) <= maxURL {
		one.url = l.URLs[0]
	}
	return one, one.Version.Version != "" && one.url != ""
}

// parseJSON reads an index that is written as JSON, entry by entry.
func parseJSON(r io.Reader) (*encoder, error) {
	out := &encoder{charts: map[string]span{}}
	d := json.NewDecoder(r)
	found := false
	err := object(d, func(key string) error {
		if key != "entries" {
			return skip(d)
		}
		found = true
		return object(d, func(name string) error {
			out.begin()
			err := array(d, func() error {
				var one listed
				if err := d.Decode(&one); err != nil {
					return err
				}
				if e, ok := one.entry(); ok {
					out.add(e)
				}
				return nil
			})
			out.end(name)
			if err == nil && len(out.charts) > maxCharts {
				err = fmt.Errorf("%w: the index has more than %d charts", source.ErrTooLarge, maxCharts)
			}
			return err
		})
	})
	if err == nil && !found {
		err = errors.New("it has no key entries")
	}
	return out, err
}

// object calls a function for each key, which must read the value.
func object(d *json.Decoder, each func(key string) error) error {
	return between(d, '{', func() error {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := key.(string)
		if !ok {
			return fmt.Errorf("unexpected %v", key)
		}
		return each(name)
	})
}

// array calls a function for each item, which must read it.
func array(d *json.Decoder, each func() error) error { return between(d, '[', each) }

func between(d *json.Decoder, open json.Delim, each func() error) error {
	token, err := d.Token()
	switch {
	case err != nil:
		return err
	case token == nil: // null
		return nil
	case token != open:
		return fmt.Errorf("unexpected %v", token)
	}
	for d.More() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// skip reads over a value without keeping it.
func skip(d *json.Decoder) error {
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// maxUnusual bounds an index that a YAML parser must read as a whole, in bytes.
const maxUnusual = 4 << 20

// parseUnusual reads an index of any form of YAML, which costs much memory.
func parseUnusual(raw []byte) (*encoder, error) {
	var all struct {
		Entries map[string][]yaml.Node `yaml:"entries"`
	}
	if err := alias.Check(raw); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	if all.Entries == nil {
		return nil, errors.New("it has no key entries")
	}
	out := &encoder{charts: map[string]span{}}
	for name, versions := range all.Entries {
		out.begin()
		for i := range versions {
			var one listed
			if versions[i].Decode(&one) != nil {
				continue // as Helm does with entries that it cannot read
			}
			if e, ok := one.entry(); ok {
				out.add(e)
			}
		}
		out.end(name)
	}
	return out, nil
}
