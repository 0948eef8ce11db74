package dev.sluice.service.llm;

import java.util.HashMap;
import java.util.Map;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.http.CredentialFailures;
import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.identity.ApiKeyResolver;
import dev.sluice.identity.CredentialsRejectedException;
import dev.sluice.identity.Identity;
import dev.sluice.identity.KeysUnavailableException;
import dev.sluice.identity.RejectedCredential;
import dev.sluice.identity.RejectedCredentialException;
import dev.sluice.llm.config.LlmConfig;
import dev.sluice.llm.config.Providers;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderType;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CallerResolver;
import dev.sluice.service.auth.JwtOnlyMechanism;
import dev.sluice.service.token.OwnCredentials;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.vertx.UniHelper;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;

/**
 * Resolves the caller of the LLM gateway and the API key for the provider. A Sluice key is accepted wherever an SDK may put its
 * key; the first one identifies the user and is replaced by Sluice's key for the provider. In pass-through mode the caller's own
 * provider key is forwarded. Its hash is the identity of a caller without another one, once the provider has accepted it; until
 * then, the identity is the client's address.
 */
@ApplicationScoped
class LlmCallerResolver {

    /**
     * @param key API key to forward; null if there is none
     * @param ownKey whether it is the caller's own
     * @param identityKey the own key of a caller without another identity; null for another caller
     * @param unproven whether the provider has not accepted that key yet: the caller is the client's address
     */
    record LlmCaller(Caller caller, String key, boolean ownKey, ProviderKey identityKey, boolean unproven) {
    }

    private final ApiKeyResolver apiKeys;
    private final CallerResolver callers;
    private final LlmConfig settings;
    private final JwtOnlyMechanism tokens;
    private final CredentialFailures credentialFailures;
    private final ProvenKeys provenKeys;
    private final OwnCredentials ownCredentials;
    /** API keys configured for Sluice. */
    private final Map<Provider, String> keys = new HashMap<>();

    LlmCallerResolver(ApiKeyResolver apiKeys, CallerResolver callers, LlmConfig settings, JwtOnlyMechanism tokens,
            CredentialFailures credentialFailures, ProvenKeys provenKeys, OwnCredentials ownCredentials, Providers providers) {
        this.ownCredentials = ownCredentials;
        this.tokens = tokens;
        this.apiKeys = apiKeys;
        this.callers = callers;
        this.settings = settings;
        this.credentialFailures = credentialFailures;
        this.provenKeys = provenKeys;
        for (var provider : providers.all()) {
            settings.of(provider).apiKey().filter(key -> !key.isBlank()).ifPresent(key -> keys.put(provider, key.strip()));
        }
    }

    /**
     * Resolves the caller. Keys that are neither Sluice's nor forwarded count as failed credentials of the client's address.
     *
     * @return completes on the current context; fails with {@link CallRejectedException}, or with
     *         {@link dev.sluice.api.StoreUnavailableException} if a key is to be looked up in Redis, which does not reply
     */
    Future<LlmCaller> resolve(RoutingContext context, Provider provider) {
        var request = context.request();
        // A JWT that Sluice verifies determines the identity, regardless of API keys, and is itself not an API key.
        boolean token = tokens.configured()
                && request.headers().getAll(RequestKeys.AUTHORIZATION).stream().anyMatch(JwtOnlyMechanism::bearsJwt);
        var owners = token ? null : apiKeys.newRequestOwners();
        RequestKeys requestKeys;
        try {
            requestKeys = new RequestKeys(request, owners);
        } catch (CredentialsRejectedException e) {
            return reject(context, 1, e);
        } catch (CallRejectedException e) {
            return Future.failedFuture(e);
        }
        if (owners == null || owners.isComplete()) {
            return new Resolution(context, provider, requestKeys).resolve();
        }
        return UniHelper.toFuture(owners.load()).compose(
                loaded -> new Resolution(context, provider, new RequestKeys(request, owners)).resolve());
    }

    private Future<LlmCaller> reject(RoutingContext context, int failures, Throwable cause) {
        return UniHelper
                .toFuture(credentialFailures.reject(context, RejectedCredentialException.credentialOf(cause), failures,
                        cause.getMessage()))
                .compose(error -> Future.failedFuture(CallRejectedException.of(error)));
    }

    /** State of the resolution of one caller. */
    private final class Resolution {

        private final RoutingContext context;
        private final Provider provider;
        private final RequestKeys requestKeys;
        /** Null if no key of the caller is forwarded. */
        private final String ownKey;
        private final Context eventLoop = Vertx.currentContext();

        Resolution(RoutingContext context, Provider provider, RequestKeys requestKeys) {
            this.context = context;
            this.provider = provider;
            this.requestKeys = requestKeys;
            this.ownKey = settings.of(provider).passThrough() ? requestKeys.providerKey(provider, ownCredentials) : null;
        }

        Future<LlmCaller> resolve() {
            var owner = requestKeys.owner();
            return owner != null
                    ? countFailures().compose(counted -> resolve(owner)).map(this::identifiedCaller)
                    : resolveWithoutSluiceKey().recover(this::rejectCaller);
        }

        private Future<LlmCaller> rejectCaller(Throwable failure) {
            if (failure instanceof KeysUnavailableException) {
                return Future.failedFuture(CallRejectedException.of(credentialFailures.keysUnavailable(context)));
            }
            return failure instanceof CredentialsRejectedException
                    ? reject(context, Math.max(1, requestKeys.failures(ownKey)), failure)
                    : Future.failedFuture(failure);
        }

        private Future<LlmCaller> resolveWithoutSluiceKey() {
            var headers = context.request().headers();
            var header = headers.getAll(ApiKeyRegistry.HEADER);
            boolean headerRemoved = ownKey != null && provider.is(ProviderType.ANTHROPIC) && !header.isEmpty();
            if (headerRemoved) {
                headers.remove(ApiKeyRegistry.HEADER); // a key for Anthropic, not an unknown Sluice key
            }
            return resolveIdentity().onComplete(done -> {
                if (headerRemoved) {
                    headers.set(ApiKeyRegistry.HEADER, header);
                }
            }).compose(caller -> {
                if (caller.identity().source() != Identity.Source.ADDRESS) {
                    return Future.succeededFuture(identifiedCaller(caller));
                }
                if (ownKey == null) {
                    throw requestKeys.isEmpty()
                            ? new RejectedCredentialException(RejectedCredential.API_KEY_MISSING, "No API key in the request"
                                    + (!headers.contains(RequestKeys.AUTHORIZATION)
                                            ? ""
                                            : ": the form is Authorization: Bearer ..."))
                            : new RejectedCredentialException(RejectedCredential.API_KEY_UNKNOWN, "Unknown API key");
                }
                return countFailures().compose(counted -> callerOfKey(ProviderKey.of(provider, ownKey), caller));
            });
        }

        private LlmCaller identifiedCaller(Caller caller) {
            return new LlmCaller(caller, ownKey != null ? ownKey : keys.get(provider), ownKey != null, null, false);
        }

        private Future<LlmCaller> callerOfKey(ProviderKey key, Caller address) {
            return onEventLoop(provenKeys.isProven(key)).map(proven -> new LlmCaller(
                    proven ? new Caller(key.identity(), address.tier()) : address, ownKey, true, key, !proven));
        }

        /**
         * Counts the keys that failed. If one of them was looked up before the key that decides, the request is rejected when
         * there are too many: its sender could otherwise try any number of keys together with a known one.
         */
        private Future<Void> countFailures() {
            int failures = requestKeys.failures(ownKey);
            if (failures == 0) {
                return Future.succeededFuture();
            }
            return UniHelper.toFuture(credentialFailures.count(context, RejectedCredential.API_KEY_UNKNOWN, failures))
                    .compose(error -> error.isPresent() && requestKeys.failsBeforeOwner(ownKey)
                            ? Future.failedFuture(CallRejectedException.of(error.get()))
                            : Future.succeededFuture());
        }

        private Future<Caller> resolve(Identity owner) {
            var caller = callers.resolveNow(owner);
            return caller != null ? Future.succeededFuture(caller) : onEventLoop(callers.resolve(context, owner));
        }

        private Future<Caller> resolveIdentity() {
            Caller caller;
            try {
                caller = callers.resolveNow(context);
            } catch (CredentialsRejectedException e) {
                return Future.failedFuture(e);
            }
            return caller != null ? Future.succeededFuture(caller) : onEventLoop(callers.resolve(context));
        }

        /** A token may be verified on another thread. */
        private <T> Future<T> onEventLoop(Uni<T> uni) {
            return UniHelper.toFuture(uni.emitOn(task -> eventLoop.runOnContext(now -> task.run())));
        }

        /** Redis replies on another event loop. */
        private <T> Future<T> onEventLoop(Future<T> future) {
            if (future.isComplete()) {
                return future;
            }
            Promise<T> promise = Promise.promise();
            future.onComplete(done -> eventLoop.runOnContext(now -> promise.handle(done)));
            return promise.future();
        }
    }
}
