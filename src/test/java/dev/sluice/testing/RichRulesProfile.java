package dev.sluice.testing;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import dev.sluice.identity.Sha256;
import io.quarkus.test.junit.QuarkusTestProfile;

/** Rules that say more than rates. Trusts the address of the test as a proxy. */
public class RichRulesProfile implements QuarkusTestProfile {

    /** Endpoints of which one request may be in flight: those that the upstream serves in a special way, and JAX-RS methods. */
    private static final List<String> ONE_IN_FLIGHT = List.of("/trickle", "/silent", "/hangup", "/ws", "/no-ws", "/download",
            "/status", "/held", "/held-then-fails");

    @Override
    public Map<String, String> getConfigOverrides() {
        var settings = new HashMap<>(rules());
        ONE_IN_FLIGHT.forEach(path -> {
            settings.put("rate-limit.endpoints.\"" + path + '"', "1000/minute");
            settings.put("rate-limit.endpoints.\"" + path + "\".concurrency.free", "1");
        });
        settings.put("rate-limit.rules.two-in-flight.concurrency", "2");
        settings.put("rate-limit.rules.two-in-flight.key", "header:X-Tenant?");
        settings.put("rate-limit.endpoints.\"/trickle/all\"", "unlimited");
        settings.put("rate-limit.endpoints.\"/trickle/all\".also", "two-in-flight");
        return settings;
    }

    private static Map<String, String> rules() {
        return Map.ofEntries(Map.entry("rate-limit.trusted-proxies", "127.0.0.1"),
                Map.entry("rate-limit.admin-token", "the-admin-token"),
                Map.entry("rate-limit.api-keys.bob.sha256", Sha256.hex("key-of-bob")),
                Map.entry("rate-limit.api-keys.bob.user", "bob"), Map.entry("rate-limit.api-keys.bob.tier", "pro"),
                Map.entry("rate-limit.endpoints.\"/campaigns\"", "3/minute"),
                Map.entry("rate-limit.endpoints.\"/campaigns\".key", "header:X-Tenant, ip"),
                Map.entry("rate-limit.endpoints.\"/tenants/{name}\"", "2/minute"),
                Map.entry("rate-limit.endpoints.\"/tenants/{name}\".key[0]", "path:name"),
                Map.entry("rate-limit.endpoints.\"/plain\"", "2/minute"),
                Map.entry("rate-limit.endpoints.\"/plain\".key", "header:authorization?"),
                Map.entry("rate-limit.endpoints.\"/fails\"", "2/minute"),
                Map.entry("rate-limit.endpoints.\"/fails\".shadow", "true"),
                Map.entry("rate-limit.endpoints.\"/nested\"", "4/minute"),
                Map.entry("rate-limit.endpoints.\"/nested\".methods", "GET,DELETE"),
                Map.entry("rate-limit.endpoints.\"/multi\"", "4/minute"),
                Map.entry("rate-limit.endpoints.\"/multi\".hosts[0]", "api.example.com"),
                Map.entry("rate-limit.endpoints.\"/multi\".hosts[1]", "*.Internal.example"),
                Map.entry("rate-limit.rules.everything", "3/minute"), Map.entry("rate-limit.rules.everything.key", "ip"),
                Map.entry("rate-limit.rules.writes.free", "1/minute"),
                Map.entry("rate-limit.rules.writes.methods", "POST"),
                Map.entry("rate-limit.rules.tried.shadow", "true"), Map.entry("rate-limit.rules.tried", "1/minute"),
                Map.entry("rate-limit.rules.tried.key", "path:id"),
                Map.entry("rate-limit.endpoints.\"/campaigns/{id}\"", "9/minute"),
                Map.entry("rate-limit.endpoints.\"/campaigns/{id}\".also", "everything,writes,tried"),
                Map.entry("rate-limit.endpoints.\"/annotated/uni\"", "9/minute"),
                Map.entry("rate-limit.endpoints.\"/annotated/uni\".also[0]", "everything"),
                Map.entry("rate-limit.endpoints.\"/nested-uni\"", "1000/minute"),
                Map.entry("rate-limit.endpoints.\"/nested-uni\".key",
                        "header:X-Tenant,query:q,cookie:s,claim:realm.tenant,ip"),
                Map.entry("rate-limit.endpoints.\"/answers\"", "3/minute"),
                Map.entry("rate-limit.endpoints.\"/answers\".count", "401,5xx"),
                Map.entry("rate-limit.endpoints.\"/billed\"", "10/minute"),
                Map.entry("rate-limit.endpoints.\"/billed\".cost", "response-header:X-Cost;default=2;max=50"),
                Map.entry("rate-limit.endpoints.\"/capped\"", "5/minute"),
                Map.entry("rate-limit.endpoints.\"/capped\".cost", "response-header:X-Cost;keep"),
                Map.entry("rate-limit.endpoints.\"/capped\".count[0]", "!4xx"),
                Map.entry("rate-limit.endpoints.\"/capped\".also", "failures"),
                Map.entry("rate-limit.rules.failures", "2/minute"), Map.entry("rate-limit.rules.failures.key", "ip"),
                Map.entry("rate-limit.rules.failures.count", "4xx"),
                Map.entry("rate-limit.endpoints.\"/costly\"", "20/minute"),
                Map.entry("rate-limit.endpoints.\"/costly\".cost", "request-header:X-Cost;default=3;max=30"),
                Map.entry("rate-limit.endpoints.\"/priced\"", "9/minute"),
                Map.entry("rate-limit.endpoints.\"/priced\".cost", "query:n;default=2;max=4"),
                Map.entry("rate-limit.endpoints.\"/fixed\"", "9/minute"),
                Map.entry("rate-limit.endpoints.\"/fixed\".cost", "4"),
                Map.entry("rate-limit.endpoints.\"/silent\"", "2/minute"),
                Map.entry("rate-limit.endpoints.\"/silent\".count", "504"),
                Map.entry("rate-limit.endpoints.\"/hangup\"", "2/minute"),
                Map.entry("rate-limit.endpoints.\"/hangup\".count", "502"),
                Map.entry("rate-limit.endpoints.\"/later\"", "2/minute"),
                Map.entry("rate-limit.endpoints.\"/later\".count", "101,2xx"),
                Map.entry("rate-limit.endpoints.\"/ws\"", "2/minute"),
                Map.entry("rate-limit.endpoints.\"/ws\".count", "4xx"),
                Map.entry("rate-limit.endpoints.\"/users\"", "5/minute"),
                Map.entry("rate-limit.endpoints.\"/users\".key", "claim:realm.tenant,team"));
    }

    /** The same in front of an upstream. */
    public static class Gateway extends RichRulesProfile {
    }
}
