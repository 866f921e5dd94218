package protocol_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
)

// text is a field with a length whose number and content are below 16 and 128: what most fields are.
func text(number byte, content string) string {
	return string([]byte{number<<3 | 2, byte(len(content))}) + content
}

// number is a field with a small number.
func number(field, value byte) string { return string([]byte{field << 3, value}) }

// messages are messages with their encoding, put together by hand from the documented field numbers.
func messages() map[string]struct {
	message, empty protocol.Message
	wire           string
} {
	return map[string]struct {
		message, empty protocol.Message
		wire           string
	}{
		"metadata": {
			&protocol.StreamRequest{Metadata: &protocol.Metadata{
				AppName: "demo", AppRelPath: "apps/demo", Checksum: "abc", Size: 100,
				Env: []protocol.Variable{{Name: "A", Value: "1"}, {Name: "EMPTY"}},
			}},
			new(protocol.StreamRequest),
			text(1, text(1, "demo")+text(2, "apps/demo")+text(3, "abc")+number(4, 100)+text(5, text(1, "A")+text(2, "1"))+text(5, text(1, "EMPTY"))),
		},
		"a chunk":         {&protocol.StreamRequest{Chunk: []byte("bytes")}, new(protocol.StreamRequest), text(2, text(1, "bytes"))},
		"an empty chunk":  {&protocol.StreamRequest{}, new(protocol.StreamRequest), text(2, "")},
		"manifests":       {&protocol.ManifestResponse{Manifests: []string{"a", "", "b"}, SourceType: "t"}, new(protocol.ManifestResponse), text(1, "a") + text(1, "") + text(1, "b") + text(2, "t")},
		"a match":         {&protocol.RepositoryResponse{IsSupported: true, IsDiscoveryEnabled: true}, new(protocol.RepositoryResponse), number(1, 1) + number(2, 1)},
		"no match":        {&protocol.RepositoryResponse{}, new(protocol.RepositoryResponse), ""},
		"a configuration": {&protocol.ConfigurationResponse{ProvideGitCreds: true}, new(protocol.ConfigurationResponse), number(2, 1)},
		"parameters": {
			&protocol.ParametersResponse{Parameters: []protocol.Parameter{
				{
					Name: "n", Title: "t", Tooltip: "tip", Required: true, ItemType: "number", CollectionType: "map", String: "s",
					Array: []string{"x", ""}, Map: map[string]string{"k": "v", "a": ""},
				},
				{Name: "second"},
			}},
			new(protocol.ParametersResponse),
			text(1, text(1, "n")+text(2, "t")+text(3, "tip")+number(4, 1)+text(5, "number")+text(6, "map")+text(7, "s")+
				text(8, "x")+text(8, "")+text(9, text(1, "a"))+text(9, text(1, "k")+text(2, "v"))) + text(1, text(1, "second")),
		},
		"a nonce":     {&protocol.CredentialsRequest{Nonce: "n"}, new(protocol.CredentialsRequest), text(1, "n")},
		"credentials": {&protocol.CredentialsResponse{Username: "u", Password: "p"}, new(protocol.CredentialsResponse), text(1, "u") + text(2, "p")},
		"nothing":     {&protocol.Empty{}, new(protocol.Empty), ""},
	}
}

func TestMessagesAreOnTheWireAsDocumented(t *testing.T) {
	for name, c := range messages() {
		t.Run(name, func(t *testing.T) {
			if got := string(c.message.AppendWire(nil)); got != c.wire {
				t.Errorf("encoded as %q, want %q", got, c.wire)
			}
			if err := c.empty.ParseWire([]byte(c.wire)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.message, c.empty); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFieldsOfTheFutureAreSkipped(t *testing.T) {
	wire := number(15, 7) + text(14, "later") + "\x6d\x01\x02\x03\x04" + // field 13, four bytes
		"\x61\x01\x02\x03\x04\x05\x06\x07\x08" + // field 12, eight bytes
		text(1, "manifest") + number(2, 1) // field 2 with another type
	got := new(protocol.ManifestResponse)
	if err := got.ParseWire([]byte(wire)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&protocol.ManifestResponse{Manifests: []string{"manifest"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAMessageDoesNotShareMemoryWithTheWire(t *testing.T) {
	wire := []byte(text(2, text(1, "bytes")))
	got := new(protocol.StreamRequest)
	if err := got.ParseWire(wire); err != nil {
		t.Fatal(err)
	}
	for i := range wire {
		wire[i] = 'x'
	}
	if string(got.Chunk) != "bytes" {
		t.Errorf("the chunk is now %q", got.Chunk)
	}
}

func TestWhatIsCutOffIsNoMessage(t *testing.T) {
	for name, wire := range map[string]string{
		"a length beyond the end": "\x0a\x7fabc", "no value": "\x08", "field zero": "\x02\x00", "an endless number": strings.Repeat("\xff", 12),
		"a message in a message": text(1, "\x0a\x7f"),
	} {
		t.Run(name, func(t *testing.T) {
			if err := new(protocol.StreamRequest).ParseWire([]byte(wire)); !errors.Is(err, protocol.ErrMalformed) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestTheCodecTakesMessagesOfOthersToo(t *testing.T) {
	in := &grpc_health_v1.HealthCheckRequest{Service: "s"}
	wire, err := protocol.Codec{}.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out := new(grpc_health_v1.HealthCheckRequest)
	if err := (protocol.Codec{}).Unmarshal(wire, out); err != nil || out.GetService() != "s" {
		t.Errorf("%v, %v", out, err)
	}
	broken := mem.BufferSlice{mem.SliceBuffer("\x0a\x7f")}
	if err := (protocol.Codec{}).Unmarshal(broken, new(protocol.CredentialsRequest)); !errors.Is(err, protocol.ErrMalformed) {
		t.Errorf("error %v", err)
	}
}

func FuzzMessages(f *testing.F) {
	for _, c := range messages() {
		f.Add([]byte(c.wire))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		for name, c := range messages() {
			if c.empty.ParseWire(wire) != nil {
				continue
			}
			once := c.empty.AppendWire(nil)
			if err := c.empty.ParseWire(once); err != nil {
				t.Fatalf("%s: its own encoding %q is refused: %v", name, once, err)
			}
			if twice := c.empty.AppendWire(nil); !bytes.Equal(once, twice) {
				t.Fatalf("%s: encoded as %q, and then as %q", name, once, twice)
			}
		}
	})
}
