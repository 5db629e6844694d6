package identity

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	stub "github.com/pedidos-hq/pedidos/gen/customers/server"
	"github.com/pedidos-hq/pedidos/gen/identitydb"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/etag"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/idempotency"
)

// noStore is the Cache-Control of responses with secrets.
const noStore = "no-store"

func (s *Service) Login(ctx context.Context, r stub.LoginRequestObject) (stub.LoginResponseObject, error) {
	row, err := s.login(ctx, *r.Body)
	if err != nil {
		return nil, err
	}
	token, err := s.token(ctx, userCaller(row), s.config.JWTTTL)
	if err != nil {
		return nil, err
	}
	return stub.Login200JSONResponse{Headers: stub.Login200ResponseHeaders{CacheControl: noStore}, Body: token}, nil
}

func (s *Service) ExchangeSession(ctx context.Context, _ stub.ExchangeSessionRequestObject) (stub.ExchangeSessionResponseObject, error) {
	caller, _ := auth.From(ctx)
	token, err := s.token(ctx, caller, accessTTL)
	if err != nil {
		return nil, err
	}
	return stub.ExchangeSession200JSONResponse{Headers: stub.ExchangeSession200ResponseHeaders{CacheControl: noStore}, Body: token}, nil
}

// token returns an access token of a user. It is signed with a signing key, or with JWT_SECRET if there is none or it does not sign yet.
func (s *Service) token(ctx context.Context, user auth.Caller, ttl time.Duration) (api.Token, error) {
	err := errAnnounced
	var token string
	if s.issuer != nil {
		token, err = s.issuer.Issue(ctx, user, ttl)
	}
	if errors.Is(err, errAnnounced) {
		token, err = s.hmac.Issue(ctx, user, ttl)
	}
	return api.Token{AccessToken: token, TokenType: api.Bearer, ExpiresIn: int32(ttl.Seconds())}, err
}

func (s *Service) GetKeySet(ctx context.Context, _ stub.GetKeySetRequestObject) (stub.GetKeySetResponseObject, error) {
	keys, err := s.signing.load(ctx, reloadEvery)
	if err != nil {
		return nil, err
	}
	set := make([]api.PublicKey, len(keys))
	for i, key := range keys {
		set[i] = publicKey(key)
	}
	return stub.GetKeySet200JSONResponse{
		Headers: stub.GetKeySet200ResponseHeaders{CacheControl: "public, max-age=10"}, Body: api.KeySet{Keys: set},
	}, nil
}

func (s *Service) SetPassword(ctx context.Context, r stub.SetPasswordRequestObject) (stub.SetPasswordResponseObject, error) {
	if err := s.setPassword(ctx, *r.Body); err != nil {
		return nil, err
	}
	return stub.SetPassword204Response{}, nil
}

func (s *Service) ChangePassword(ctx context.Context, r stub.ChangePasswordRequestObject) (stub.ChangePasswordResponseObject, error) {
	if err := s.changePassword(ctx, *r.Body); err != nil {
		return nil, err
	}
	return stub.ChangePassword204Response{}, nil
}

func (s *Service) GetMe(ctx context.Context, _ stub.GetMeRequestObject) (stub.GetMeResponseObject, error) {
	caller, _ := auth.From(ctx)
	if row, err := s.callingUser(ctx); err == nil {
		return stub.GetMe200JSONResponse{
			Caller: caller.Name, Kind: api.KindUser, ID: row.ID, Username: &row.Username, Name: row.Name, Role: api.Role(caller.Role),
		}, nil
	} else if !fault.Is(err, common.CodeForbidden) {
		return nil, err
	}
	return stub.GetMe200JSONResponse{
		Caller: caller.Name, Kind: api.KindIntegrator, ID: caller.ID, Name: caller.DisplayName, Role: api.Role(caller.Role),
	}, nil
}

func (s *Service) CreateSession(ctx context.Context, r stub.CreateSessionRequestObject) (stub.CreateSessionResponseObject, error) {
	started, err := s.startSession(ctx, *r.Body, r.Params.UserAgent)
	if err != nil {
		return nil, err
	}
	return stub.CreateSession201JSONResponse{
		Headers: stub.CreateSession201ResponseHeaders{CacheControl: noStore},
		Body: api.NewSession{
			ID: started.ID, Token: started.token, CreatedAt: common.Time{Time: started.CreatedAt}, ExpiresAt: common.Time{Time: started.ExpiresAt},
			IdleSeconds: int32(s.config.SessionIdle.Seconds()),
		},
	}, nil
}

func (s *Service) ListSessions(ctx context.Context, r stub.ListSessionsRequestObject) (stub.ListSessionsResponseObject, error) {
	rows, next, err := s.sessions(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	caller, _ := auth.From(ctx)
	data := make([]api.Session, len(rows))
	for i, row := range rows {
		data[i] = api.Session{
			ID: row.ID, CreatedAt: common.Time{Time: row.CreatedAt}, LastUsedAt: common.Time{Time: row.UsedAt}, ExpiresAt: common.Time{Time: row.ExpiresAt},
			Address: row.Address, UserAgent: row.UserAgent, Current: row.ID == caller.Session,
		}
	}
	return stub.ListSessions200JSONResponse{Data: data, NextCursor: next}, nil
}

func (s *Service) EndSession(ctx context.Context, r stub.EndSessionRequestObject) (stub.EndSessionResponseObject, error) {
	if err := s.endSession(ctx, r.ID); err != nil {
		return nil, err
	}
	return stub.EndSession204Response{}, nil
}

func (s *Service) ListUsers(ctx context.Context, r stub.ListUsersRequestObject) (stub.ListUsersResponseObject, error) {
	rows, next, err := s.users.list(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	data := make([]api.User, len(rows))
	for i, row := range rows {
		data[i] = user(row)
	}
	return stub.ListUsers200JSONResponse{Data: data, NextCursor: next}, nil
}

func (s *Service) CreateUser(ctx context.Context, r stub.CreateUserRequestObject) (stub.CreateUserResponseObject, error) {
	request, err := idempotency.Parse(http.MethodPost, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, "/users", r.Body)
	if err != nil {
		return nil, err
	}
	in := &userCreation{UserInput: *r.Body}
	done, err := s.creatingUser.Do(ctx, request, in)
	if err == nil && first(done) {
		return createdUser(in.row, &in.setup.text), nil
	}
	return answer(done), err
}

func (s *Service) GetUser(ctx context.Context, r stub.GetUserRequestObject) (stub.GetUserResponseObject, error) {
	row, err := s.users.get(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return stub.GetUser200JSONResponse{UserJSONResponse: userResponse(row)}, nil
}

func (s *Service) UpdateUser(ctx context.Context, r stub.UpdateUserRequestObject) (stub.UpdateUserResponseObject, error) {
	request, err := idempotency.Parse(http.MethodPatch, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, fmt.Sprintf("/users/%d", r.ID), r.Body)
	if err != nil {
		return nil, err
	}
	done, err := s.updatingUser.Do(ctx, request, userChange{r.ID, etag.ParseMatch(r.Params.IfMatch), *r.Body})
	return answer(done), err
}

func (s *Service) ResetUser(ctx context.Context, r stub.ResetUserRequestObject) (stub.ResetUserResponseObject, error) {
	request, err := idempotency.Parse(http.MethodPost, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, fmt.Sprintf("/users/%d/reset", r.ID), struct{}{})
	if err != nil {
		return nil, err
	}
	in := &userReset{id: r.ID}
	done, err := s.resettingUser.Do(ctx, request, in)
	if err == nil && first(done) {
		return resetUser(in.row, &in.setup.text), nil
	}
	return answer(done), err
}

func (s *Service) ListIntegrators(ctx context.Context, r stub.ListIntegratorsRequestObject) (stub.ListIntegratorsResponseObject, error) {
	rows, next, err := s.integrators(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	data := make([]api.Integrator, len(rows))
	for i, row := range rows {
		data[i] = integrator(row)
	}
	return stub.ListIntegrators200JSONResponse{Data: data, NextCursor: next}, nil
}

func (s *Service) CreateIntegrator(ctx context.Context, r stub.CreateIntegratorRequestObject) (stub.CreateIntegratorResponseObject, error) {
	request, err := idempotency.Parse(http.MethodPost, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, "/integrators", r.Body)
	if err != nil {
		return nil, err
	}
	done, err := s.creatingIntegrator.Do(ctx, request, *r.Body)
	return answer(done), err
}

func (s *Service) GetIntegrator(ctx context.Context, r stub.GetIntegratorRequestObject) (stub.GetIntegratorResponseObject, error) {
	row, err := s.integrator(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return stub.GetIntegrator200JSONResponse{IntegratorJSONResponse: integratorResponse(row)}, nil
}

func (s *Service) UpdateIntegrator(ctx context.Context, r stub.UpdateIntegratorRequestObject) (stub.UpdateIntegratorResponseObject, error) {
	request, err := idempotency.Parse(http.MethodPatch, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, fmt.Sprintf("/integrators/%d", r.ID), r.Body)
	if err != nil {
		return nil, err
	}
	done, err := s.updatingIntegrator.Do(ctx, request, integratorChange{r.ID, etag.ParseMatch(r.Params.IfMatch), *r.Body})
	return answer(done), err
}

func (s *Service) ListKeys(ctx context.Context, r stub.ListKeysRequestObject) (stub.ListKeysResponseObject, error) {
	rows, next, err := s.keys(ctx, r.ID, r.Params)
	if err != nil {
		return nil, err
	}
	data := make([]api.Key, len(rows))
	for i, row := range rows {
		data[i] = key(row)
	}
	return stub.ListKeys200JSONResponse{Data: data, NextCursor: next}, nil
}

func (s *Service) CreateKey(ctx context.Context, r stub.CreateKeyRequestObject) (stub.CreateKeyResponseObject, error) {
	request, err := idempotency.Parse(http.MethodPost, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, fmt.Sprintf("/integrators/%d/keys", r.ID), r.Body)
	if err != nil {
		return nil, err
	}
	in := &keyCreation{integrator: r.ID, KeyInput: *r.Body}
	request.Prepare = func(context.Context) (err error) {
		in.ExpiresAt, err = s.validExpiry(r.Body.ExpiresAt)
		return err
	}
	done, err := s.creatingKey.Do(ctx, request, in)
	if err == nil && first(done) {
		return createdKey(in.row, &in.text), nil
	}
	return answer(done), err
}

func (s *Service) RevokeKey(ctx context.Context, r stub.RevokeKeyRequestObject) (stub.RevokeKeyResponseObject, error) {
	path := fmt.Sprintf("/integrators/%d/keys/%d", r.ID, r.KeyID)
	request, err := idempotency.Parse(http.MethodDelete, r.Params.IdempotencyKey, r.Params.XIdempotencyKey, path, struct{}{})
	if err != nil {
		return nil, err
	}
	done, err := s.revokingKey.Do(ctx, request, keyRevocation{r.ID, r.KeyID})
	return answer(done), err
}

func (s *Service) GetKeyInternal(ctx context.Context, r stub.GetKeyInternalRequestObject) (stub.GetKeyInternalResponseObject, error) {
	row, err := s.usableKey(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return stub.GetKeyInternal200JSONResponse{
		ID: row.ID, Hash: hex.EncodeToString(row.Hash), IntegratorID: row.IntegratorID, IntegratorName: row.IntegratorName, Role: api.Role(row.Role),
		ExpiresAt: optionalTime(row.ExpiresAt), LastUsedAt: optionalTime(row.LastUsedAt),
	}, nil
}

func (s *Service) RecordKeyUse(ctx context.Context, r stub.RecordKeyUseRequestObject) (stub.RecordKeyUseResponseObject, error) {
	if _, err := s.usableKey(ctx, r.ID); err != nil {
		return nil, err
	}
	if err := s.recordKeyUse(ctx, r.ID); err != nil {
		return nil, err
	}
	return stub.RecordKeyUse204Response{}, nil
}

func (s *Service) ListAudit(ctx context.Context, r stub.ListAuditRequestObject) (stub.ListAuditResponseObject, error) {
	rows, next, err := s.auditLog(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	data := make([]api.AuditEntry, len(rows))
	for i, row := range rows {
		data[i] = api.AuditEntry{
			ID: row.ID, CreatedAt: common.Time{Time: row.CreatedAt}, Actor: row.Actor, ActorName: row.ActorName, Action: row.Action, Target: row.Target,
			Address: row.Address, CorrelationID: row.CorrelationID,
		}
		if err := json.Unmarshal([]byte(row.Changes), &data[i].Changes); err != nil {
			return nil, fmt.Errorf("decode changes: %w", err)
		}
	}
	return stub.ListAudit200JSONResponse{Data: data, NextCursor: next}, nil
}

// answer is the response of an operation that takes an idempotency key. It may be a stored one.
type answer idempotency.Answer

func (a answer) VisitCreateUserResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitUpdateUserResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitResetUserResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitCreateIntegratorResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitUpdateIntegratorResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitCreateKeyResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

func (a answer) VisitRevokeKeyResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Write(w)
}

// first reports whether an answer is the first one of a successful request. Only that one has the secret; the stored answer, and so
// each repeat, has null in its place.
func first(done idempotency.Answer) bool {
	return !done.Replayed && done.Status < http.StatusBadRequest
}

func answerUser(row identitydb.User) (idempotency.Answer, error) {
	return idempotency.Record(createdUser(row, nil).VisitCreateUserResponse)
}

func createdUser(row identitydb.User, setup *string) stub.CreateUser201JSONResponse {
	return stub.CreateUser201JSONResponse{
		Body: userSetup(row, setup),
		Headers: stub.CreateUser201ResponseHeaders{
			Location: fmt.Sprintf("/users/%d", row.ID), ETag: etag.Of(row.Version), CacheControl: noStore,
		},
	}
}

func answerUpdatedUser(row identitydb.User) (idempotency.Answer, error) {
	return idempotency.Record(stub.UpdateUser200JSONResponse{UserUpdatedJSONResponse: stub.UserUpdatedJSONResponse{
		Body: user(row), Headers: stub.UserUpdatedResponseHeaders{ETag: etag.Of(row.Version)},
	}}.VisitUpdateUserResponse)
}

func answerReset(row identitydb.User) (idempotency.Answer, error) {
	return idempotency.Record(resetUser(row, nil).VisitResetUserResponse)
}

func resetUser(row identitydb.User, setup *string) stub.ResetUser200JSONResponse {
	return stub.ResetUser200JSONResponse{Body: userSetup(row, setup), Headers: stub.ResetUser200ResponseHeaders{CacheControl: noStore}}
}

func answerIntegrator(row identitydb.Integrator) (idempotency.Answer, error) {
	return idempotency.Record(stub.CreateIntegrator201JSONResponse{
		Body: integrator(row),
		Headers: stub.CreateIntegrator201ResponseHeaders{
			Location: fmt.Sprintf("/integrators/%d", row.ID), ETag: etag.Of(row.Version),
		},
	}.VisitCreateIntegratorResponse)
}

func answerUpdatedIntegrator(row identitydb.Integrator) (idempotency.Answer, error) {
	return idempotency.Record(stub.UpdateIntegrator200JSONResponse{IntegratorUpdatedJSONResponse: stub.IntegratorUpdatedJSONResponse{
		Body: integrator(row), Headers: stub.IntegratorUpdatedResponseHeaders{ETag: etag.Of(row.Version)},
	}}.VisitUpdateIntegratorResponse)
}

func answerKey(row identitydb.Key) (idempotency.Answer, error) {
	return idempotency.Record(createdKey(row, nil).VisitCreateKeyResponse)
}

func answerRevoked(struct{}) (idempotency.Answer, error) {
	return idempotency.Record(stub.RevokeKey204Response{}.VisitRevokeKeyResponse)
}

func createdKey(row identitydb.Key, text *string) stub.CreateKey201JSONResponse {
	k := key(row)
	return stub.CreateKey201JSONResponse{
		Headers: stub.CreateKey201ResponseHeaders{CacheControl: noStore},
		Body: api.NewKey{
			ID: k.ID, IntegratorID: k.IntegratorID, Name: k.Name, Prefix: k.Prefix, CreatedBy: k.CreatedBy, CreatedAt: k.CreatedAt,
			ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt, RevokedAt: k.RevokedAt, Key: text,
		},
	}
}

func user(row identitydb.User) api.User {
	return api.User{
		ID: row.ID, Username: row.Username, Name: row.Name, Role: api.Role(row.Role), State: api.State(row.State), PasswordSet: row.PasswordHash != nil,
		CreatedAt: common.Time{Time: row.CreatedAt}, UpdatedAt: common.Time{Time: row.UpdatedAt}, LastLoginAt: optionalTime(row.LastLoginAt),
	}
}

func userSetup(row identitydb.User, setup *string) api.UserSetup {
	u := user(row)
	return api.UserSetup{
		ID: u.ID, Username: u.Username, Name: u.Name, Role: u.Role, State: u.State, PasswordSet: u.PasswordSet,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, LastLoginAt: u.LastLoginAt,
		SetupToken: setup, SetupExpiresAt: common.Time{Time: *row.SetupExpiresAt},
	}
}

func userResponse(row identitydb.User) stub.UserJSONResponse {
	return stub.UserJSONResponse{Body: user(row), Headers: stub.UserResponseHeaders{ETag: etag.Of(row.Version)}}
}

func integrator(row identitydb.Integrator) api.Integrator {
	return api.Integrator{
		ID: row.ID, Name: row.Name, Role: api.Role(row.Role), State: api.State(row.State),
		CreatedAt: common.Time{Time: row.CreatedAt}, UpdatedAt: common.Time{Time: row.UpdatedAt},
	}
}

func integratorResponse(row identitydb.Integrator) stub.IntegratorJSONResponse {
	return stub.IntegratorJSONResponse{Body: integrator(row), Headers: stub.IntegratorResponseHeaders{ETag: etag.Of(row.Version)}}
}

func key(row identitydb.Key) api.Key {
	return api.Key{
		ID: row.ID, IntegratorID: row.IntegratorID, Name: row.Name, Prefix: fmt.Sprintf("%s%d_", auth.KeyPrefix, row.ID), CreatedBy: row.CreatedBy,
		CreatedAt: common.Time{Time: row.CreatedAt}, ExpiresAt: optionalTime(row.ExpiresAt), LastUsedAt: optionalTime(row.LastUsedAt),
		RevokedAt: optionalTime(row.RevokedAt),
	}
}

func publicKey(k signingKey) api.PublicKey {
	jwk := auth.PublicJWK(k.KeyID, k.private.Public().(ed25519.PublicKey))
	return api.PublicKey{
		Kid: jwk.KeyID, Kty: api.PublicKeyKty(jwk.Type), Crv: api.PublicKeyCrv(jwk.Curve), X: jwk.X, Use: api.PublicKeyUse(jwk.Use), Alg: api.PublicKeyAlg(jwk.Algorithm),
	}
}
