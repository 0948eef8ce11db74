package dev.sluice.service.authz;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.vertx.core.MultiMap;

class OriginalRequestHeadersTest {

    /** @param lines {@code name: value}, separated by bars */
    private static OriginalRequestHeaders.Target read(String lines, OriginalRequestHeaders only) {
        var headers = MultiMap.caseInsensitiveMultiMap();
        for (var line : lines.split("\\|")) {
            int colon = line.indexOf(':');
            headers.add(line.substring(0, colon).strip(), line.substring(colon + 1).strip());
        }
        return OriginalRequestHeaders.read(headers, only, true);
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
            "'X-Forwarded-Method: POST|X-Forwarded-Uri: /a?b=c', POST, /a, b=c",
            "'X-Forwarded-Uri: /a', GET, /a, -",
            "'X-Original-Method: PUT|X-Original-URI: /a', PUT, /a, -",
            "'X-Original-Method: PUT|X-Original-URL: https://host:8443/a//b?x', PUT, /a//b, x",
            "'X-Original-URL: HTTP://host', GET, /, -",
            "'X-Original-URL: http://host?x=/y', GET, /, x=/y",
            "'X-Original-URL: http://host\\a', GET, /\\a, -",
            "'X-Original-URI: /a?b|X-Original-URL: http://host/a?b', GET, /a, b",
            "'X-Original-URI: /http://host/b', GET, /http://host/b, -",
            "'X-Original-URI: /b|X-Forwarded-Uri: /a', GET, /a, -",
            "'X-Original-Method: DELETE|X-Original-URI: /b|X-Forwarded-Uri: /a', GET, /a, -",
            "'X-Forwarded-Uri: //a/%2e%2e/b;c', GET, //a/%2e%2e/b;c, -",
            "'X-Forwarded-Uri: /a?100%', GET, /a, 100%",
            "'X-Forwarded-Method: OPTIONS|X-Forwarded-Uri: *', OPTIONS, *, -"})
    void readsTheFirstSet(String headers, String method, String path, String query) {
        var target = read(headers, null);
        assertThat(target).isEqualTo(new OriginalRequestHeaders.Target(method, target.authority(), path, query, null));
    }

    /** A host about which the headers differ is empty: it may be any. */
    @ParameterizedTest
    @CsvSource(nullValues = "-", value = {
            "'X-Forwarded-Uri: /a', -",
            "'X-Forwarded-Uri: /a|Host: sluice|X-Forwarded-Host: b.example:1', b.example:1",
            "'X-Forwarded-Uri: /a|X-Forwarded-Host: b|X-Forwarded-Host: c', ''",
            "'X-Forwarded-Uri: http://c/a|X-Forwarded-Host: b', c",
            "'X-Original-URI: /a|Host: b|X-Forwarded-Host: c', b",
            "'X-Original-URL: https://user@b.example:8443/a|Host: sluice', b.example:8443",
            "'X-Original-URL: https://b.example?a|Host: sluice', b.example",
            "'X-Original-URI: /a|X-Original-URL: http://other/a|Host: b', ''",
            "'X-Original-URI: http://b/a|X-Original-URL: http://b/a', b"})
    void readsTheHost(String headers, String host) {
        assertThat(read(headers, null).authority()).isEqualTo(host);
    }

    @ParameterizedTest
    @CsvSource({
            "'X-Other: a', X-Forwarded-Uri",
            "'X-Forwarded-Method: POST', X-Forwarded-Uri",
            "'X-Forwarded-Method: POST|X-Original-URI: /a', X-Forwarded-Uri",
            "'X-Original-Method: POST', X-Original-URI",
            "'X-Forwarded-Uri: /a|X-Forwarded-Uri: /a', X-Forwarded-Uri",
            "'X-Forwarded-Method: GET|X-Forwarded-Method: PUT|X-Forwarded-Uri: /a', X-Forwarded-Method",
            "'X-Original-URL: /a|X-Original-URL: /b', X-Original-URL",
            "'X-Forwarded-Method: G(T|X-Forwarded-Uri: /a', X-Forwarded-Method",
            "'X-Forwarded-Method:|X-Forwarded-Uri: /a', X-Forwarded-Method",
            "'X-Forwarded-Uri: /a#b', X-Forwarded-Uri",
            "'X-Forwarded-Uri: /a%zz', X-Forwarded-Uri",
            "'X-Forwarded-Uri: /a%2', X-Forwarded-Uri",
            "'X-Forwarded-Uri: /a b', X-Forwarded-Uri",
            "'X-Forwarded-Uri: campaigns', X-Forwarded-Uri",
            "'X-Forwarded-Uri:', X-Forwarded-Uri",
            "'X-Original-URI: /forged|X-Original-URL: http://host/b', X-Original-URL",
            "'X-Original-URL: ftp://host/a', X-Original-URL"})
    void namesTheInvalidHeader(String headers, String name) {
        var error = read(headers, null).error();
        assertThat(error.status()).isEqualTo(400);
        assertThat(error.code()).isEqualTo("RATE_4001");
        assertThat(error.details().getString("field")).isEqualTo(name);
        assertThat(error.message()).contains(name);
    }

    @Test
    void readsOnlyTheSetThatTheOperatorHasChosen() {
        var both = "X-Forwarded-Uri: /forged|X-Forwarded-Method: HEAD|X-Original-URI: /a|X-Original-Method: POST";
        assertThat(read(both, OriginalRequestHeaders.ORIGINAL).path()).isEqualTo("/a");
        assertThat(read(both, OriginalRequestHeaders.ORIGINAL).method()).isEqualTo("POST");
        assertThat(read(both, OriginalRequestHeaders.FORWARDED).path()).isEqualTo("/forged");
        assertThat(read("X-Forwarded-Uri: /forged", OriginalRequestHeaders.ORIGINAL).error().details().getString("field"))
                .isEqualTo("X-Original-URI");
    }

    @Test
    void limitsTheLength() {
        assertThat(read("X-Forwarded-Uri: /" + "a".repeat(16_383), null).error()).isNull();
        assertThat(read("X-Forwarded-Uri: /" + "a".repeat(16_384), null).error().status()).isEqualTo(400);
    }
}
