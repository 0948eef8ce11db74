package dev.sluice.policy.key;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.identity.Identity;
import dev.sluice.identity.Sha256;
import dev.sluice.identity.chain.IdentityChain;
import dev.sluice.text.HeaderText;
import io.vertx.core.MultiMap;

class RuleKeyTest {

    private static final Identity ADDRESS = new Identity("ip:203.0.113.9", Identity.Source.ADDRESS, null);
    private static final Identity ALICE = new Identity("user:alice", Identity.Source.PRINCIPAL, null,
            new IdentityChain(null, "alice", "growth", "acme", List.of(), List.of()),
            path -> Map.of("tenant", "t1", "plan.name", "gold").get(path));

    private static MultiMap headers(String... namesAndValues) {
        var headers = MultiMap.caseInsensitiveMultiMap();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            headers.add(namesAndValues[i], namesAndValues[i + 1]);
        }
        return headers;
    }

    private static RuleKey key(String text) {
        return RuleKey.parse(Arrays.asList(text.split(",")));
    }

    private static List<String> identifiers(String key, Identity caller, String query, String... headers) {
        return key(key).identifiers(new KeySource(headers(headers), query, caller, () -> ADDRESS,
                name -> name.equals("id") ? List.of("a", "b") : List.of("42")));
    }

    private static List<String> ofHeaders(String key, String... headers) {
        return identifiers(key, ADDRESS, null, headers);
    }

    private static List<String> ofQuery(String query) {
        return identifiers("query:q", ADDRESS, query);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"caller; user:alice", "caller?; user:alice",
            "caller,ip; caller=user%3Aalice|ip=203.0.113.9",
            "ip; ip=203.0.113.9", "user; user=alice", "team; team=growth", "org,team; org=acme|team=growth",
            "claim:tenant; claim:tenant=t1", "claim:plan.name; claim:plan.name=gold",
            "claim:https://x/y; claim:https%3A%2F%2Fx%2Fy=",
            "header:X-Tenant,ip; header:x-tenant=acme|ip=203.0.113.9", "path:name; path:name=42",
            "query:q; query:q=1%7C2%3D3%25",
            "Header:x-tenant ; header:x-tenant=acme", "header:x-none; header:x-none="})
    void formOfIdentifiers(String key, String identifier) {
        assertThat(identifiers(key, ALICE, "q=1%7C2=3%", "X-Tenant", "acme")).containsExactly(identifier);
    }

    @Test
    void absentPartIsTheEmptyValueOrSwitchesTheRuleOff() {
        for (var part : List.of("user", "team", "org", "claim:tenant", "header:x", "query:x", "cookie:x")) {
            assertThat(identifiers(part, ADDRESS, null)).containsExactly(part + '=');
            assertThat(identifiers(part + '?', ADDRESS, null)).isEmpty();
            assertThat(identifiers("ip," + part + '?', ADDRESS, null)).isEmpty();
        }
        assertThat(ofHeaders("header:x?", "X", "")).as("present but empty").containsExactly("header:x=");
        assertThat(ofHeaders("cookie:x?", "Cookie", "x")).containsExactly("cookie:x=");
        assertThat(ofQuery("q")).containsExactly("query:q=");
    }

    @Test
    void nameOfAHeaderFieldIsCaseInsensitive() {
        assertThat(ofHeaders("header:X-TENANT", "x-tenant", " acme ")).containsExactly("header:x-tenant=acme");
    }

    @Test
    void repeatedFieldCountsForEachOfItsValues() {
        assertThat(ofHeaders("header:x-tenant", "X-Tenant", "a", "X-Tenant", "b", "x-tenant", "a"))
                .containsExactly("header:x-tenant=a", "header:x-tenant=b");
        assertThat(ofQuery("q=a&q=b&p=c")).containsExactly("query:q=a", "query:q=b");
        assertThat(ofHeaders("cookie:s", "Cookie", "s=a; s=b", "Cookie", "s=a")).hasSize(2);
        assertThat(identifiers("path:id", ADDRESS, null)).containsExactly("path:id=a", "path:id=b");
    }

    @Test
    void tooManyValuesShareOneWindow() {
        assertThat(ofQuery("q=a&q=b&q=c&q=d")).hasSize(4);
        assertThat(ofQuery("q=a&q=b&q=c&q=d&q=e")).containsExactly("query:q=a", "query:q=e", "query:q=*");
        assertThat(ofQuery("q=1&q=2&q=3&q=4&q=5&q=6&q=7&q=8&q=9")).containsExactly("query:q=1", "query:q=9", "query:q=*");
        assertThat(ofQuery("q=1&q=2&q=3&q=4&q=5&q=6&q=7&q=2")).containsExactly("query:q=1", "query:q=2", "query:q=*");
        assertThat(ofQuery("q=1&q=2&q=3&q=4&q=5&q=1")).containsExactly("query:q=1", "query:q=*");
        assertThat(ofQuery("q=*")).as("a value is encoded").containsExactly("query:q=%2A");
        assertThat(ofQuery("Q=1&Q=2&Q=3&Q=4&Q=5")).containsExactly("query:q=1", "query:q=", "query:q=*");
        assertThat(ofHeaders("cookie:s", "Cookie", "s=1; s=2; s=3; s=4; s=5")).contains("cookie:s=*");
        assertThat(identifiers("query:q?,path:id,header:x?", ADDRESS, "q=a&q=b&q=c", "X", "y"))
                .containsExactly("query:q=a|path:id=a|header:x=y", "query:q=c|path:id=b|header:x=y",
                        "query:q=*|path:id=*|header:x=y");
    }

    /** A server uses the first or the last value: whatever stands beside it, the request counts in its window. */
    @Test
    void noFurtherValueHidesTheFirstOrTheLastOne() {
        var random = new Random(20261130);
        for (int i = 0; i < 5_000; i++) {
            var values = random.ints(1 + random.nextInt(12), 0, 7).mapToObj(Integer::toString).toList();
            var found = ofQuery("q=" + String.join("&q=", values));
            assertThat(found).contains("query:q=" + values.get(0), "query:q=" + values.get(values.size() - 1))
                    .hasSizeLessThan(5);
            assertThat(values.stream().allMatch(value -> found.contains("query:q=" + value)) || found.contains("query:q=*"))
                    .isTrue();
        }
    }

    /** A server that does not know the other spelling sees no field, so the window of the absent one counts too. */
    @Test
    void otherSpellingsOfANameCountToo() {
        assertThat(ofHeaders("header:x-tenant", "X_Tenant", "a")).containsExactly("header:x-tenant=a", "header:x-tenant=");
        assertThat(ofHeaders("header:x-tenant?", "X.Tenant", "a")).containsExactly("header:x-tenant=a");
        assertThat(ofHeaders("header:x-tenant", "X_Tenant", "a", "X-Tenant", "b"))
                .containsExactlyInAnyOrder("header:x-tenant=a", "header:x-tenant=b");
        assertThat(ofQuery("Q=a")).containsExactly("query:q=a", "query:q=");
        assertThat(ofQuery("p=1;q=a")).containsExactly("query:q=a", "query:q=");
        assertThat(ofQuery("q=a;q=b")).containsExactly("query:q=a%3Bq%3Db", "query:q=a", "query:q=b");
    }

    @ParameterizedTest
    @ValueSource(strings = {"q=acme", "%71=acme", "q=%61cme", "q=%61%63%6d%65", "q=%61%63%6D%65", "&&q=acme&", "x=y&q=acme"})
    void percentEncodingDoesNotMatter(String query) {
        assertThat(ofQuery(query)).containsExactly("query:q=acme");
    }

    @ParameterizedTest
    @ValueSource(strings = {"q=a+b", "q=a%20b", "q=a%2Bb", "q=a%2bb", "q=a b"})
    void plusSignsAndSpacesAreTheSame(String query) {
        assertThat(ofQuery(query)).containsExactly("query:q=a%20b");
    }

    @Test
    void textIsTheSameInEachEncoding() {
        var utf8 = HeaderText.encode("é€");
        assertThat(ofHeaders("header:x", "X", utf8)).containsExactly("header:x=%C3%A9%E2%82%AC");
        assertThat(ofQuery("q=%C3%A9%e2%82%ac")).containsExactly("query:q=%C3%A9%E2%82%AC");
        assertThat(ofQuery("q=" + utf8)).containsExactly("query:q=%C3%A9%E2%82%AC");
        assertThat(ofQuery("q=%E9")).containsExactly("query:q=%C3%A9").isEqualTo(ofQuery("q=%C3%A9"));
        assertThat(ofQuery("q=%zz%2")).containsExactly("query:q=%25zz%252");
    }

    @Test
    void secretsAreHashed() {
        for (var name : List.of("Authorization", "Proxy-Authorization", "X-API-Key", "Cookie", "X-Auth-Token", "x-secret",
                "Session-Id", "X-Amz-Signature")) {
            assertThat(ofHeaders("header:" + name, name, "s3cret"))
                    .containsExactly("header:" + name.toLowerCase() + "=sha256:" + Sha256.hex("s3cret"));
        }
        assertThat(ofHeaders("cookie:theme", "Cookie", "theme=dark"))
                .containsExactly("cookie:theme=sha256:" + Sha256.hex("dark"));
        assertThat(identifiers("query:api_key", ADDRESS, "api_key=s3cret"))
                .containsExactly("query:api_key=sha256:" + Sha256.hex("s3cret"));
        assertThat(identifiers("path:token", ADDRESS, null)).containsExactly("path:token=sha256:" + Sha256.hex("42"));
    }

    @Test
    void cookiesAreReadAsServersReadThem() {
        var plain = ofHeaders("cookie:s", "Cookie", "s=a b");
        assertThat(ofHeaders("cookie:s", "Cookie", "x=1;s=\"a b\"")).isEqualTo(plain);
        assertThat(ofHeaders("cookie:s", "Cookie", "s=a%20b; ")).isEqualTo(plain);
        assertThat(ofHeaders("cookie:s", "Cookie", "s=a=b")).isNotEqualTo(plain).hasSize(1);
    }

    @Test
    void longIdentifiersAreHashed() {
        var fits = "x".repeat(256 - "header:x=".length());
        assertThat(ofHeaders("header:x", "X", fits)).containsExactly("header:x=" + fits);
        var tooLong = ofHeaders("header:x", "X", fits + 'x');
        assertThat(tooLong).containsExactly("sha256:" + Sha256.hex("header:x=" + fits + 'x'));
        assertThat(RuleKey.isReserved(tooLong.get(0))).isTrue();
    }

    /** Values that contain the separators, at random: equal identifiers exactly for equal values. */
    @Test
    void identifiersAreEqualExactlyIfAllValuesAre() {
        var random = new Random(20261130);
        var alphabet = List.of("|", "=", "%", "a", "b", "é", "€", "\uD83D\uDE00", ":", "%7C", "ip=", ",", ";", "&", "?",
                "header:y=");
        var byIdentifier = new HashMap<String, List<String>>();
        var byValues = new HashMap<List<String>, String>();
        for (int i = 0; i < 20_000; i++) {
            var values = List.of(text(random, alphabet), text(random, alphabet), text(random, alphabet));
            var found = identifiers("header:x,query:q,header:y", ADDRESS,
                    "q=" + URLEncoder.encode(values.get(1), StandardCharsets.UTF_8), "X",
                    HeaderText.encode(values.get(0)), "Y", HeaderText.encode(values.get(2)));
            assertThat(found).hasSize(1);
            assertThat(RuleKey.isReserved(found.get(0))).isTrue();
            assertThat(byIdentifier.computeIfAbsent(found.get(0), identifier -> values)).isEqualTo(values);
            assertThat(byValues.computeIfAbsent(values, each -> found.get(0))).isEqualTo(found.get(0));
        }
        assertThat(byValues).hasSizeLessThan(20_000);
    }

    private static String text(Random random, List<String> alphabet) {
        var text = new StringBuilder();
        for (int i = random.nextInt(4); i > 0; i--) {
            text.append(alphabet.get(random.nextInt(alphabet.size())));
        }
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "?", "tenant", "header", "header:", "header:?", "ip:x", "caller:me", "header:a b", "cookie:a=b",
            "ip,ip", "ip,ip?", "header:X,header:x", "ip,", "headers:x",
            "user,team,org,ip,caller,claim:a,claim:b,claim:c,claim:d"})
    void invalidKeysAreRejected(String key) {
        assertThatThrownBy(() -> RuleKey.parse(Arrays.asList(key.split(",", -1))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void misspeltPartIsNamed() {
        assertThatThrownBy(() -> key("ip,heder:x")).hasMessage("'heder:x' is no part of a key; did you mean header?");
    }

    @Test
    void textFormIsThatOfTheConfiguration() {
        assertThat(key(" header:X-Tenant ?, ip").toString()).isEqualTo("header:x-tenant?,ip");
        assertThat(RuleKey.isReserved("user123")).isFalse();
        assertThat(RuleKey.isReserved("header:x")).isFalse();
    }
}
