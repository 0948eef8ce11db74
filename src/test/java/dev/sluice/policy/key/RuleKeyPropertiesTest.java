package dev.sluice.policy.key;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

import dev.sluice.api.Identifiers;
import dev.sluice.identity.Identity;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.text.HeaderText;
import io.vertx.core.MultiMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.Size;

/** Two requests share a window exactly if the values of all parts of the key are equal, however the requests are written. */
class RuleKeyPropertiesTest {

    private static final String KEY = "header:X-Tenant,query:q,cookie:s,claim:realm.tenant,ip";
    private static final Identity ADDRESS = new Identity("ip:203.0.113.9", Identity.Source.ADDRESS, null);

    @Provide
    Arbitrary<String> values() {
        var text = Arbitraries.of("|", "=", "%", "a", "b", "A", "é", "€", "\uD83D\uDE00", ":", "%7C", "ip=", "&", "?", "*",
                "header:x-tenant=", "sha256:", "x".repeat(300)).list().ofMaxSize(3).map(parts -> String.join("", parts));
        return Arbitraries.frequencyOf(Tuple.of(1, Arbitraries.just("")), Tuple.of(6, text));
    }

    /** Writes the same request in a random way: {@code null} and empty values are absent in it, or empty. */
    private static String identifier(List<String> values, Random random) {
        var fields = new ArrayList<Map.Entry<String, String>>();
        fields.add(Map.entry("Accept", "x-tenant=1"));
        fields.add(Map.entry("X-Tenants", "other"));
        if (isWritten(values.get(0), random)) {
            var padding = " ".repeat(random.nextInt(2));
            fields.add(Map.entry(inAnyCase("X-Tenant", random), padding + HeaderText.encode(values.get(0)) + padding));
            if (random.nextInt(4) == 0) {
                fields.add(Map.entry(inAnyCase("X-Tenant", random), HeaderText.encode(values.get(0))));
            }
        }
        var cookies = new ArrayList<>(List.of("t=1", "ss=2"));
        if (isWritten(values.get(2), random)) {
            var value = encoded(values.get(2), random);
            cookies.add("s=" + (random.nextInt(3) == 0 ? '"' + value + '"' : value));
        }
        Collections.shuffle(cookies, random);
        fields.add(Map.entry("Cookie", String.join("; ", cookies)));
        Collections.shuffle(fields, random);
        var headers = MultiMap.caseInsensitiveMultiMap();
        fields.forEach(field -> headers.add(field.getKey(), field.getValue()));
        var parameters = new ArrayList<>(List.of("page=2", "qq=q"));
        if (isWritten(values.get(1), random)) {
            parameters.add(encoded("q", random) + '=' + encoded(values.get(1), random));
        }
        Collections.shuffle(parameters, random);
        var claims = values.get(3).isEmpty() && random.nextBoolean()
                ? Map.<String, String>of()
                : Map.of("realm.tenant", values.get(3));
        var caller = new Identity("user:alice", Identity.Source.PRINCIPAL, null, IdentityChain.NONE, claims::get);
        var found = RuleKey.parse(Arrays.asList(KEY.split(","))).identifiers(
                new KeySource(headers, String.join("&", parameters), caller, () -> ADDRESS, name -> List.of()));
        assertThat(found).hasSize(1);
        assertThat(Identifiers.isValid(found.get(0))).isTrue();
        return found.get(0);
    }

    private static boolean isWritten(String value, Random random) {
        return !value.isEmpty() || random.nextBoolean();
    }

    private static String inAnyCase(String name, Random random) {
        var text = new StringBuilder();
        name.chars().forEach(
                c -> text.append(random.nextBoolean() ? Character.toUpperCase((char) c) : Character.toLowerCase((char) c)));
        return text.toString();
    }

    /** Percent-encodes what must be, and some of the rest. */
    private static String encoded(String value, Random random) {
        var text = new StringBuilder();
        for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
            boolean plain = b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || ":*|=".indexOf(b) >= 0;
            text.append(plain && random.nextInt(3) > 0
                    ? String.valueOf((char) b)
                    : (random.nextBoolean() ? "%%%02x" : "%%%02X").formatted(b & 0xFF));
        }
        return text.toString();
    }

    @Property(tries = 3000)
    void requestsShareAWindowExactlyIfAllValuesAreEqual(@ForAll @Size(4) List<@From("values") String> one,
            @ForAll @Size(4) List<@From("values") String> other, @ForAll long seed) {
        var random = new Random(seed);
        var first = identifier(one, random);
        assertThat(identifier(one, random)).as("the same request, written in another way").isEqualTo(first);
        var second = identifier(other, random);
        assertThat(second.equals(first)).as("%s and %s", one, other).isEqualTo(one.equals(other));
        for (int i = 0; i < 4; i++) { // one value is another one
            var changed = new ArrayList<>(one);
            changed.set(i, other.get(i));
            assertThat(identifier(changed, random).equals(first)).as("%s and %s", one, changed).isEqualTo(one.equals(changed));
        }
    }
}
