package askpass

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
)

// patience is how long the Server may take.
const patience = 10 * time.Second

// Answer writes what git asks for. prompt is git's question; socket and nonce are what the environment says, where an
// empty socket is DefaultSocket.
func Answer(ctx context.Context, out io.Writer, prompt, socket, nonce string) error {
	if nonce == "" {
		return fmt.Errorf("%s is not set: there are no credentials for this plugin", EnvNonce)
	}
	if socket == "" {
		socket = DefaultSocket
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(protocol.Codec{})))
	if err != nil {
		return fmt.Errorf("reaching the repo server at %s: %w", socket, err)
	}
	defer conn.Close()
	got := new(protocol.CredentialsResponse)
	if err := conn.Invoke(ctx, protocol.MethodCredentials, &protocol.CredentialsRequest{Nonce: nonce}, got); err != nil {
		return fmt.Errorf("asking the repo server at %s for credentials: %w", socket, err)
	}
	answer := got.Username
	switch {
	case strings.HasPrefix(prompt, "Username"):
	case strings.HasPrefix(prompt, "Password"):
		answer = got.Password
	default:
		return errors.New("git asks for something that is neither a user name nor a password")
	}
	_, err = fmt.Fprintln(out, answer)
	return err
}
