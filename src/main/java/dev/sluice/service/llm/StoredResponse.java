package dev.sluice.service.llm;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.llm.ledger.CallOwner;
import dev.sluice.llm.limit.DeferredCall;
import dev.sluice.llm.limit.ReservedWindows;
import dev.sluice.llm.policy.LimitKind;
import dev.sluice.llm.protocol.Provider;
import dev.sluice.llm.protocol.ProviderType;
import dev.sluice.llm.protocol.ServiceTier;
import dev.sluice.llm.protocol.TokenUsage;
import dev.sluice.llm.protocol.UsageDetails;
import io.vertx.core.json.JsonObject;

/**
 * Response, or conversation, that a provider stores for a caller.
 *
 * @param owner the caller's identifier
 * @param pending the call, if its usage has not been reported yet; otherwise null
 */
record StoredResponse(String owner, DeferredCall pending) {

    StoredResponse settled() {
        return new StoredResponse(owner, null);
    }

    /** Returns the form in Redis. */
    String encode() {
        var json = new JsonObject().put("owner", owner);
        if (pending != null) {
            pending.windows().writeTo(json).put("provider", pending.provider().id())
                    .put("type", pending.provider().type().name())
                    .put("ledger", pending.ledgerIdentifier()).put("model", pending.model())
                    .put("input", pending.usage().input()).put("output", pending.usage().output())
                    .put("tier", pending.details().tier().name()).put("reservation", pending.reservation());
            var levels = pending.owner();
            json.put("key", levels.key()).put("user", levels.user()).put("team", levels.team()).put("org", levels.org());
        }
        return json.encode();
    }

    private static ReservedWindows windows(JsonObject json) {
        if (json.containsKey("windows") && json.containsKey("identifiers")) {
            return ReservedWindows.read(json);
        }
        var kinds = new HashMap<String, LimitKind>(); // written by an earlier version
        if (json.containsKey("windows")) {
            json.getJsonObject("windows")
                    .forEach(entry -> kinds.put(entry.getKey(), LimitKind.valueOf((String) entry.getValue())));
        } else {
            texts(json, "all_tokens", "tokens").forEach(resource -> kinds.put(resource, LimitKind.TOKENS));
            texts(json, "all_budgets", "budget").forEach(resource -> kinds.put(resource, LimitKind.BUDGET));
        }
        return new ReservedWindows(texts(json, "identifiers", "identifier"), kinds);
    }

    private static List<String> texts(JsonObject json, String all, String one) {
        return json.containsKey(all)
                ? json.getJsonArray(all).stream().map(String.class::cast).toList()
                : List.of(json.getString(one));
    }

    private static CallOwner owner(JsonObject json) {
        return json.containsKey("user")
                ? new CallOwner(json.getString("key"), json.getString("user"), json.getString("team"), json.getString("org"))
                : CallOwner.of(json.getString("ledger"), IdentityChain.NONE); // written by an earlier version
    }

    /**
     * Reads the form in Redis.
     *
     * @throws RuntimeException if it is another text
     */
    static StoredResponse decode(String text) {
        var json = new JsonObject(text);
        var provider = json.getString("provider") == null
                ? null
                : new Provider(json.getString("provider"), ProviderType.valueOf(json.getString("type")));
        var details = provider == null
                ? null
                : new UsageDetails(Map.of(), ServiceTier.valueOf(json.getString("tier")), false, "", List.of());
        return new StoredResponse(json.getString("owner"), provider == null
                ? null
                : new DeferredCall(provider, windows(json), json.getString("ledger"), json.getString("model"),
                        TokenUsage.of(json.getLong("input"), json.getLong("output")), details, json.getString("reservation"),
                        owner(json)));
    }
}
