package keyring

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"sigs.k8s.io/yaml"

	"github.com/fairlead-cd/fairlead/internal/render/sops"
)

// awsCredentials are those of a user or a session.
type awsCredentials struct {
	ID      string `json:"aws_access_key_id"`
	Secret  string `json:"aws_secret_access_key"`
	Session string `json:"aws_session_token"`
}

var (
	awsKey  = regexp.MustCompile(`^arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]+:(?:key|alias)/[\w/+=,.@-]+$`)
	awsRole = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]+:role/[\w/+=,.@-]+$`)
)

func parseAWS(text []byte) (*awsCredentials, error) {
	c := &awsCredentials{}
	if err := yaml.Unmarshal(text, c); err != nil || c.ID == "" || c.Secret == "" {
		return nil, errors.New("it must be YAML with aws_access_key_id, aws_secret_access_key and, if need be, aws_session_token")
	}
	return c, nil
}

// openAWS has AWS's KMS decrypt. A role that the file names is assumed first; what the credentials may do is for AWS to
// say.
func (k *Keyring) openAWS(ctx context.Context, set Keys, key sops.MasterKey, ciphertext []byte) ([]byte, error) {
	if set.aws == nil && !set.ambient["aws"] {
		return nil, ErrNoKey
	}
	parts := awsKey.FindStringSubmatch(key.ARN)
	if parts == nil {
		return nil, errors.New("the ARN of the AWS KMS key is none")
	}
	blob, err := base64.StdEncoding.DecodeString(string(ciphertext))
	if err != nil {
		return nil, errors.New("the data key, as encrypted with AWS KMS, is damaged")
	}
	provider, err := awsProvider(ctx, set, parts[1])
	if err != nil {
		return nil, err
	}
	if key.Role != "" {
		if provider, err = k.assume(ctx, provider, parts[1], key.Role); err != nil {
			return nil, err
		}
	}
	client := kms.New(kms.Options{Region: parts[1], Credentials: provider, HTTPClient: k.client, RetryMaxAttempts: 2})
	out, err := client.Decrypt(ctx, &kms.DecryptInput{KeyId: &key.ARN, CiphertextBlob: blob, EncryptionContext: key.Context})
	if err != nil {
		return nil, fmt.Errorf("AWS KMS refuses to decrypt with it: %s", awsReason(err))
	}
	return out.Plaintext, nil
}

// awsProvider gives credentials: those of the Secret and no others, or what the environment has.
func awsProvider(ctx context.Context, set Keys, region string) (aws.CredentialsProvider, error) {
	if set.aws != nil {
		return aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(set.aws.ID, set.aws.Secret, set.aws.Session)), nil
	}
	loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return nil, errors.New("the environment has no credentials for AWS")
	}
	return loaded.Credentials, nil
}

func (k *Keyring) assume(ctx context.Context, with aws.CredentialsProvider, region, role string) (aws.CredentialsProvider, error) {
	if !awsRole.MatchString(role) {
		return nil, errors.New("the ARN of the role is none")
	}
	client := sts.New(sts.Options{Region: region, Credentials: with, HTTPClient: k.client, RetryMaxAttempts: 2})
	out, err := client.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("fairlead")})
	if err != nil || out.Credentials == nil {
		return nil, fmt.Errorf("AWS refuses to assume the role %s: %s", role, awsReason(err))
	}
	c := out.Credentials
	return credentials.NewStaticCredentialsProvider(
		aws.ToString(c.AccessKeyId), aws.ToString(c.SecretAccessKey), aws.ToString(c.SessionToken)), nil
}

// awsReason is the code of an error of the API, or that there was no answer.
func awsReason(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return "there is no answer that can be used"
}
