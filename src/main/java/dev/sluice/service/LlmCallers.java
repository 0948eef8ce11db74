package dev.sluice.service;

import java.util.ArrayList;
import java.util.List;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.caller.ApiKeys;
import dev.sluice.caller.CredentialsRejectedException;
import dev.sluice.caller.Hashes;
import dev.sluice.caller.Identity;
import dev.sluice.llm.LlmSettings;
import dev.sluice.llm.wire.Provider;
import dev.sluice.policy.Caller;
import dev.sluice.policy.Callers;
import io.smallrye.mutiny.Uni;
import io.vertx.core.MultiMap;
import io.vertx.ext.web.RoutingContext;

/**
 * Who calls through the LLM gateway, and with which key the call goes on. A Sluice key is looked for wherever an SDK may put
 * its key; it names the user, and Sluice's key for the provider takes its place. Where callers may bring a key of the
 * provider's, that goes on, and its hash is the identity of whoever has no other.
 */
@ApplicationScoped
class LlmCallers {

    /** @param key with which the call goes on; null: there is none */
    record LlmCaller(Caller caller, String key, boolean ownKey) {
    }

    static final String GOOGLE_KEY = "x-goog-api-key";
    static final String QUERY_KEY = "key";
    private static final String AUTHORIZATION = "Authorization";
    private static final String BEARER = "bearer ";

    private final ApiKeys apiKeys;
    private final Callers callers;
    private final LlmSettings settings;

    LlmCallers(ApiKeys apiKeys, Callers callers, LlmSettings settings) {
        this.apiKeys = apiKeys;
        this.callers = callers;
        this.settings = settings;
    }

    /** Fails with {@link CredentialsRejectedException}. */
    Uni<LlmCaller> of(RoutingContext context, Provider provider) {
        var headers = context.request().headers();
        for (var key : anywhere(context)) {
            var owner = apiKeys.find(key);
            if (owner != null) {
                return callers.of(context, owner).map(caller -> caller(provider, caller, providerKey(context, provider)));
            }
        }
        var brought = providerKey(context, provider);
        boolean hidden = settings.of(provider).passThrough() && brought != null && provider == Provider.ANTHROPIC;
        var header = headers.get(ApiKeys.HEADER);
        if (hidden) {
            headers.remove(ApiKeys.HEADER); // it is Anthropic's key, not an unknown one of ours
        }
        return callers.of(context).onTermination().invoke(() -> {
            if (hidden && header != null) {
                headers.set(ApiKeys.HEADER, header);
            }
        }).map(caller -> {
            if (caller.identity().source() != Identity.Source.ADDRESS) {
                boolean token = caller.identity().source() == Identity.Source.PRINCIPAL;
                return caller(provider, caller, token && isBearer(headers) && brought != null
                        && brought.equals(bearer(headers)) ? null : brought);
            }
            if (brought == null || !settings.of(provider).passThrough()) {
                throw new CredentialsRejectedException(brought == null
                        ? "No API key came with the request"
                        : "The API key is not known");
            }
            var identity = new Identity(Identity.key(Hashes.sha256(brought)), Identity.Source.API_KEY, null);
            return caller(provider, new Caller(identity, caller.tier()), brought);
        });
    }

    private LlmCaller caller(Provider provider, Caller caller, String brought) {
        var configured = settings.of(provider);
        boolean own = configured.passThrough() && brought != null;
        return new LlmCaller(caller, own
                ? brought
                : configured.apiKey().filter(key -> !key.isBlank()).map(String::strip)
                        .orElse(null),
                own);
    }

    /** Every value that may be a Sluice key. */
    private static List<String> anywhere(RoutingContext context) {
        var headers = context.request().headers();
        var keys = new ArrayList<String>(4);
        keys.addAll(headers.getAll(ApiKeys.HEADER));
        if (isBearer(headers)) {
            keys.add(bearer(headers));
        }
        keys.addAll(headers.getAll(GOOGLE_KEY));
        keys.addAll(context.queryParams().getAll(QUERY_KEY));
        return keys;
    }

    /** What stands where the provider's SDK puts its key, and is no key of Sluice's; null where there is none. */
    private String providerKey(RoutingContext context, Provider provider) {
        var headers = context.request().headers();
        var slots = new ArrayList<String>(3);
        switch (provider) {
            case OPENAI -> slots.add(bearer(headers));
            case ANTHROPIC -> {
                slots.add(headers.get(ApiKeys.HEADER));
                slots.add(bearer(headers));
            }
            case GEMINI -> {
                slots.add(headers.get(GOOGLE_KEY));
                slots.add(context.queryParams().get(QUERY_KEY));
                slots.add(bearer(headers));
            }
        }
        for (var key : slots) {
            if (key != null && !key.isBlank() && apiKeys.find(key) == null) {
                return key;
            }
        }
        return null;
    }

    private static boolean isBearer(MultiMap headers) {
        var authorization = headers.get(AUTHORIZATION);
        return authorization != null && authorization.regionMatches(true, 0, BEARER, 0, BEARER.length());
    }

    private static String bearer(MultiMap headers) {
        return isBearer(headers) ? headers.get(AUTHORIZATION).substring(BEARER.length()).strip() : null;
    }
}
