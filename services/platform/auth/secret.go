package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"strings"
)

// The prefixes of opaque tokens, by which people and secret scanners recognize them.
const (
	KeyPrefix     = "ped_" // API keys: ped_<id>_<secret>
	SessionPrefix = "pes_" // session tokens: pes_<secret>
	SetupPrefix   = "pet_" // setup tokens: pet_<secret>
)

const (
	secretSize   = 52 // characters; 260 bits
	checksumSize = 7
)

// NewSecret returns a random secret of 260 bits, in base32.
func NewSecret() string { return rand.Text() + rand.Text() }

// Hash returns the SHA-256 of a secret, which is stored in its place. A secret of 260 random bits needs no slow hash.
func Hash(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// FormatKey returns an API key.
func FormatKey(id int64, secret string) string {
	return FormatToken(KeyPrefix+strconv.FormatInt(id, 10)+"_", secret)
}

// FormatToken returns a token: prefix, secret and checksum.
func FormatToken(prefix, secret string) string { return prefix + secret + checksum(prefix+secret) }

// IsKey reports whether a token is meant as an API key.
func IsKey(token string) bool { return strings.HasPrefix(token, KeyPrefix) }

// ParseKey returns the id of an API key and the hash of its secret. It returns false if the key was not made by FormatKey, such as
// after a typing error.
func ParseKey(key string) (id int64, hash [sha256.Size]byte, ok bool) {
	number, _, found := strings.Cut(strings.TrimPrefix(key, KeyPrefix), "_")
	id, err := strconv.ParseInt(number, 10, 64)
	if !found || err != nil || id < 1 {
		return 0, hash, false
	}
	hash, ok = ParseToken(KeyPrefix+strconv.FormatInt(id, 10)+"_", key)
	return id, hash, ok
}

// ParseToken returns the hash of the secret of a token. It returns false if the token was not made by FormatToken with that prefix.
func ParseToken(prefix, token string) (hash [sha256.Size]byte, ok bool) {
	rest, found := strings.CutPrefix(token, prefix)
	if !found || len(rest) != secretSize+checksumSize {
		return hash, false
	}
	secret := rest[:secretSize]
	if checksum(prefix+secret) != rest[secretSize:] {
		return hash, false
	}
	return Hash(secret), true
}

// checksum detects typing errors. It is not secret.
func checksum(text string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text)))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum)
}
