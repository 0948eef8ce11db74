package dev.sluice.service.llm;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.identity.ApiKeyRegistry;
import dev.sluice.identity.CredentialsRejectedException;
import dev.sluice.identity.Identity;
import dev.sluice.identity.Sha256;
import dev.sluice.llm.limit.LlmConfig;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.policy.Caller;
import dev.sluice.policy.CallerResolver;
import dev.sluice.service.auth.BearerToken;
import dev.sluice.service.auth.JwtOnlyMechanism;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.vertx.UniHelper;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;

/**
 * Resolves the caller of the LLM gateway and the API key for the provider. A Sluice key is accepted wherever an SDK may put its
 * key; it identifies the user and is replaced by Sluice's key for the provider. In pass-through mode the caller's own provider
 * key is forwarded, and its hash is the identity of a caller without another one.
 */
@ApplicationScoped
public class LlmCallerResolver {

    /** @param key API key to forward; null if there is none */
    record LlmCaller(Caller caller, String key, boolean ownKey) {
    }

    private static final Pattern UNDECODABLE = Pattern.compile("%(?![0-9a-fA-F]{2})");

    static final String GOOGLE_KEY = "x-goog-api-key";
    static final String QUERY_KEY = "key";
    static final String AUTHORIZATION = "Authorization";

    private final ApiKeyRegistry apiKeys;
    private final CallerResolver callers;
    private final LlmConfig settings;
    private final JwtOnlyMechanism tokens;
    /** API keys configured for Sluice. */
    private final Map<Provider, String> keys = new EnumMap<>(Provider.class);

    LlmCallerResolver(ApiKeyRegistry apiKeys, CallerResolver callers, LlmConfig settings, JwtOnlyMechanism tokens) {
        this.tokens = tokens;
        this.apiKeys = apiKeys;
        this.callers = callers;
        this.settings = settings;
        for (var provider : Provider.values()) {
            settings.of(provider).apiKey().filter(key -> !key.isBlank()).ifPresent(key -> keys.put(provider, key.strip()));
        }
    }

    /**
     * Resolves the caller; fails with {@link CredentialsRejectedException}.
     *
     * @return completes on the current context
     */
    Future<LlmCaller> resolve(RoutingContext context, Provider provider) {
        var request = context.request();
        // A JWT that Sluice verifies determines the identity, regardless of API keys, and is itself not an API key.
        boolean token = tokens.configured()
                && request.headers().getAll(AUTHORIZATION).stream().anyMatch(JwtOnlyMechanism::bearsJwt);
        var slots = new KeySlots(request, token);
        for (var key : slots.all()) {
            var owner = token || key == null ? null : apiKeys.find(key);
            if (owner != null) {
                return resolve(context, owner).map(caller -> caller(provider, caller, providerKey(slots, provider)));
            }
        }
        var callerKey = providerKey(slots, provider);
        boolean passes = settings.of(provider).passThrough() && callerKey != null;
        var headers = request.headers();
        var header = headers.get(ApiKeyRegistry.HEADER);
        boolean headerRemoved = passes && provider == Provider.ANTHROPIC && header != null;
        if (headerRemoved) {
            headers.remove(ApiKeyRegistry.HEADER); // a key for Anthropic, not an unknown Sluice key
        }
        return resolve(context).onComplete(done -> {
            if (headerRemoved) {
                headers.set(ApiKeyRegistry.HEADER, header);
            }
        }).map(caller -> {
            if (caller.identity().source() != Identity.Source.ADDRESS) {
                return caller(provider, caller, callerKey);
            }
            if (!passes) {
                throw new CredentialsRejectedException(callerKey == null
                        ? "No API key in the request"
                        : "Unknown API key");
            }
            var identity = new Identity(Identity.keyIdentifier(Sha256.hex(callerKey)), Identity.Source.API_KEY, null);
            return caller(provider, new Caller(identity, caller.tier()), callerKey);
        });
    }

    private Future<Caller> resolve(RoutingContext context, Identity owner) {
        var caller = callers.resolveNow(owner);
        return caller != null ? Future.succeededFuture(caller) : onCurrentContext(callers.resolve(context, owner));
    }

    private Future<Caller> resolve(RoutingContext context) {
        Caller caller;
        try {
            caller = callers.resolveNow(context);
        } catch (CredentialsRejectedException e) {
            return Future.failedFuture(e);
        }
        return caller != null ? Future.succeededFuture(caller) : onCurrentContext(callers.resolve(context));
    }

    /** A token may be verified on another thread. */
    private static <T> Future<T> onCurrentContext(Uni<T> uni) {
        var context = Vertx.currentContext();
        return UniHelper.toFuture(uni.emitOn(task -> context.runOnContext(now -> task.run())));
    }

    private LlmCaller caller(Provider provider, Caller caller, String callerKey) {
        boolean own = callerKey != null && settings.of(provider).passThrough();
        return new LlmCaller(caller, own ? callerKey : keys.get(provider), own);
    }

    /**
     * Places of an API key in a request, each with its first value; null if absent. There is no second attempt within one
     * request.
     */
    private record KeySlots(String header, String bearer, String google, String query) {

        KeySlots(HttpServerRequest request, boolean token) {
            this(request.getHeader(ApiKeyRegistry.HEADER),
                    token ? null : BearerToken.of(request.getHeader(AUTHORIZATION)),
                    request.getHeader(GOOGLE_KEY), fromQuery(request.query()));
        }

        private static String fromQuery(String query) {
            for (var part : query == null ? new String[0] : query.split("&")) {
                var keys = parameters(part).get(QUERY_KEY);
                if (keys != null) {
                    return keys.get(0);
                }
            }
            return null;
        }

        List<String> all() {
            return Arrays.asList(header, bearer, google, query);
        }

        /** Returns the places where the SDK of the provider puts its key. */
        List<String> of(Provider provider) {
            return switch (provider) {
                case OPENAI -> Arrays.asList(bearer);
                case ANTHROPIC -> Arrays.asList(header, bearer);
                case GEMINI -> Arrays.asList(google, query, bearer);
            };
        }
    }

    /** Returns the first key in a place used by the provider's SDK that is not a Sluice key; null if there is none. */
    private String providerKey(KeySlots slots, Provider provider) {
        for (var key : slots.of(provider)) {
            if (key != null && !key.isBlank() && apiKeys.find(key) == null) {
                return key;
            }
        }
        return null;
    }

    /** Returns whether each percent sign of a query, null for none, is followed by two hexadecimal digits. */
    static boolean isDecodable(String query) {
        return query == null || !UNDECODABLE.matcher(query).find();
    }

    /** Decodes the parameters of a part of a query; empty if it cannot be decoded. */
    public static Map<String, List<String>> parameters(String part) {
        try {
            return new QueryStringDecoder(part, false).parameters();
        } catch (IllegalArgumentException e) {
            return Map.of();
        }
    }
}
