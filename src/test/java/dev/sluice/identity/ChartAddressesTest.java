package dev.sluice.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import dev.sluice.config.ConfigProblems;
import io.vertx.core.json.JsonObject;

/** The chart's schema and the program agree on addresses and CIDR blocks. */
class ChartAddressesTest {

    private static JsonObject definition;

    @BeforeAll
    static void readSchema() throws IOException {
        definition = new JsonObject(Files.readString(Path.of("helm/values.schema.json"))).getJsonObject("definitions")
                .getJsonObject("peer");
    }

    private static boolean schemaAccepts(String text) {
        return text.matches(definition.getString("pattern"))
                && !Pattern.compile(definition.getJsonObject("not").getString("pattern")).matcher(text).find();
    }

    private static boolean programAccepts(String text) {
        var problems = new ConfigProblems();
        AddressBlocks.validate(problems, "rate-limit.trusted-proxies", Optional.of(List.of(text)));
        return problems.lines().isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "255.255.255.255/32", "::/0", "::", "::1", "fd00::/8",
            "2001:db8::1/128", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8", "1:2::7:8/64",
            "FD00:ABCD::/99"})
    void validAddresses(String text) {
        assertThat(schemaAccepts(text)).isTrue();
        assertThat(programAccepts(text)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.0/33", "10.0.0.0/99", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "256.0.0.1", "10.0.0.0.0",
            "fd00::/129", "fd00::/999", "fd00:::1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "proxy",
            "proxy/8", "", "::ffff:a00:1/128"})
    void invalidAddresses(String text) {
        assertThat(schemaAccepts(text)).isFalse();
        assertThat(programAccepts(text)).isFalse();
    }
}
