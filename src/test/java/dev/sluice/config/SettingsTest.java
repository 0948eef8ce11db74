package dev.sluice.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

import org.eclipse.microprofile.config.spi.ConfigSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.smallrye.config.DotEnvConfigSourceProvider;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;

class SettingsTest {

    /** The settings of the service that refer to variables. */
    private static final Map<String, String> SERVICE = service();

    private static Map<String, String> service() {
        var file = new Properties();
        try (var reader = Files.newBufferedReader(Path.of("src/main/resources/application.properties"))) {
            file.load(reader);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        var aliases = new HashMap<String, String>();
        file.forEach((name, value) -> {
            if (value.toString().startsWith("${")) {
                aliases.put(name.toString(), value.toString());
            }
        });
        return aliases;
    }

    private static SmallRyeConfig config(Map<String, String> environment, PropertiesConfigSource... files) {
        return new SmallRyeConfigBuilder().addDefaultInterceptors().withInterceptors(new SettingInterceptor())
                .withSources(new EnvConfigSource(environment, 300),
                        new PropertiesConfigSource(SERVICE, "application.properties", 250))
                .withSources(files).build();
    }

    private static String value(String variable, String text, String property) {
        return config(Map.of(variable, text)).getConfigValue(property).getValue();
    }

    private static List<String> problems(Map<String, String> environment) {
        return ConfigValidator.problems(config(environment), environment, new ArrayList<>());
    }

    private static List<String> warnings(Map<String, String> environment) {
        var warnings = new ArrayList<String>();
        assertThat(ConfigValidator.problems(config(environment), environment, warnings)).isEmpty();
        return warnings;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "RATE_LIMIT_ENABLED | yess | true or false",
            "RATE_LIMIT_ENABLED | enabled | true or false",
            "RATE_LIMIT_DRY_RUN | 2 | true or false",
            "RATE_LIMIT_CHECK_OPEN | maybe | true or false",
            "REDIS_ENABLED | ture | true or false",
            "RATE_LIMIT_TRACING | TRUE | true or false, in lower case",
            "RATE_LIMIT_METRICS_OTLP | yes | true or false, in lower case",
            "REDIS_TLS | ja | true or false",
            "LOG_JSON | json | true or false",
            "RATE_LIMIT_LLM_OPENAI_PASS_THROUGH | t | true or false",
            "RATE_LIMIT_TIMEOUT | 100 | give a unit, such as 100ms (ms, s, m, h, d)",
            "RATE_LIMIT_UPSTREAM_TIMEOUT | 30 | give a unit, such as 30s (ms, s, m, h, d)",
            "RATE_LIMIT_TIMEOUT | soon | a duration with a unit (ms, s, m, h, d), such as 100ms",
            "RATE_LIMIT_TIMEOUT | 1.5 | a duration with a unit (ms, s, m, h, d), such as 100ms",
            "RATE_LIMIT_INSTANCES | abc | a whole number, such as 1",
            "RATE_LIMIT_INSTANCES | 1.5 | a whole number, such as 1",
            "RATE_LIMIT_INSTANCES | 99999999999 | a whole number, such as 1",
            "RATE_LIMIT_MEMORY_MAX_SIZE | lots | a size in bytes, or with a unit (K, M, G), such as 64M",
            "RATE_LIMIT_FALLBACK | opn | local, open or closed; did you mean open?",
            "RATE_LIMIT_HEADERS | some | all, standard, legacy or none",
            "REDIS_CLIENT_TYPE | sentinels | standalone, sentinel, cluster or replication; did you mean sentinel?",
            "RATE_LIMIT_LLM_GEMINI_FALLBACK | shut | local, open or closed",
            "RATE_LIMIT_MEMORY_MAX_SIZE | 99999999999999999999G | a size in bytes, or with a unit (K, M, G), such as 64M",
            "RATE_LIMIT_LLM_MAX_BODY_SIZE | 99999999999G | a size in bytes, or with a unit (K, M, G), such as 32M",
            "RATE_LIMIT_UPSTREAM_TIMEOUT | 99999999999999d | a duration with a unit (ms, s, m, h, d), such as 60s",
            "RATE_LIMIT_TIME_ZONE | Mars/Base | a time zone such as UTC, Europe/Berlin or +05:45",
            "RATE_LIMIT_TIME_ZONE | europe/berlin | a time zone such as UTC, Europe/Berlin or +05:45; did you mean Europe/Berlin?",
            "RATE_LIMIT_LLM_OPENAI_OUTPUT_ESTIMATE | many | a whole number"})
    void invalidValueIsReportedWithItsVariable(String variable, String text, String allowed) {
        assertThat(problems(Map.of(variable, text))).singleElement().asString().startsWith(variable + ": ")
                .endsWith("=" + text + ": " + allowed);
    }

    @Test
    void allProblemsAreReportedTogether() {
        assertThat(problems(
                Map.of("RATE_LIMIT_ENABLED", "x", "RATE_LIMIT_TIMEOUT", "1", "REDIS_TLS", "x", "RATE_LIMIT_LLM_FOO", "1")))
                .hasSize(4);
    }

    @ParameterizedTest
    @CsvSource({"RATE_LIMIT_ENABLED, No, rate-limit.enabled, false", "RATE_LIMIT_ENABLED, 1, rate-limit.enabled, true",
            "RATE_LIMIT_ENABLED, ' ON ', rate-limit.enabled, true", "RATE_LIMIT_FALLBACK, OPEN, rate-limit.fallback, open",
            "RATE_LIMIT_FORWARDED_HEADER, X_FORWARDED_FOR, rate-limit.forwarded-header, x-forwarded-for",
            "RATE_LIMIT_TIME_ZONE, ' Europe/Berlin', rate-limit.time-zone, Europe/Berlin",
            "RATE_LIMIT_TIME_ZONE, '', rate-limit.time-zone, UTC", "RATE_LIMIT_TIME_ZONE, Z, rate-limit.time-zone, Z",
            "RATE_LIMIT_TIME_ZONE, Mars/Base, rate-limit.time-zone, UTC",
            "RATE_LIMIT_TIMEOUT, '', rate-limit.timeout, 100ms", "RATE_LIMIT_TIMEOUT, ' ', rate-limit.timeout, 100ms",
            "RATE_LIMIT_TIMEOUT, 2s, rate-limit.timeout, 2s", "RATE_LIMIT_INSTANCES, ' 3', rate-limit.instances, 3",
            "RATE_LIMIT_UPSTREAM_WEBSOCKET_GRACE_PERIOD, 0, rate-limit.upstream.websocket-grace-period, 0",
            "REDIS_HOST, '', rate-limit.redis.host, localhost", "REDIS_PORT, ' ', rate-limit.redis.port, 6379",
            "RATE_LIMIT_TIERS, '', rate-limit.tiers, 'free,pro,enterprise'",
            "REDIS_ENABLED, off, rate-limit.redis.enabled, false", "RATE_LIMIT_ENABLED, yess, rate-limit.enabled, true"})
    void valueIsNormalized(String variable, String text, String property, String expected) {
        assertThat(value(variable, text, property)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"RATE_LIMIT_API_TOKEN, a${x}b, rate-limit.api-token", "RATE_LIMIT_API_TOKEN, a$$b, rate-limit.api-token",
            "RATE_LIMIT_API_TOKEN, ${x, rate-limit.api-token", "RATE_LIMIT_ADMIN_TOKEN, \\${x}, rate-limit.admin-token",
            "REDIS_PASSWORD, p$$w${x}, quarkus.redis.rate-limit.password",
            "REDIS_HOSTS, redis://:p${x}@h:1, rate-limit.redis.hosts",
            "RATE_LIMIT_LLM_OPENAI_API_KEY, sk-${x}$, rate-limit.llm.openai.api-key",
            "RATE_LIMIT_REDIS_HASH_KEY, $${}, rate-limit.redis.hash-key"})
    void secretFromTheEnvironmentIsLiteral(String variable, String text, String property) {
        assertThat(value(variable, text, property)).isEqualTo(text);
        assertThat(problems(Map.of(variable, text))).isEmpty();
    }

    @Test
    void secretFromAFileMayBeAnExpression() {
        var file = new PropertiesConfigSource(Map.of("rate-limit.api-token", "${MY_TOKEN}"), "my.env.properties", 260);
        assertThat(config(Map.of("MY_TOKEN", "t"), file).getConfigValue("rate-limit.api-token").getValue()).isEqualTo("t");
    }

    @ParameterizedTest
    @CsvSource({"RATE_LIMIT_DEFUALT, RATE_LIMIT_DEFAULT", "REDIS_HOSTNAME, REDIS_HOST", "REDIS_URL, REDIS_HOSTS",
            "RATE_LIMIT_ENABLE, RATE_LIMIT_ENABLED", "UPSTREM_URL, UPSTREAM_URL", "RATE_LIMT_DEFAULT, RATE_LIMIT_DEFAULT",
            "RATE_LIMIT_TIMEOUT_MS, RATE_LIMIT_TIMEOUT",
            "RATE_LIMIT_TRUSTED_PROXY, RATE_LIMIT_TRUSTED_PROXIES", "REDIS_SENTINEL_USER, REDIS_SENTINEL_USERNAME",
            "RATE_LIMIT_UPSTREAM_TIMOUT, RATE_LIMIT_UPSTREAM_TIMEOUT", "UPSTREAM_ULR, UPSTREAM_URL"})
    void unknownVariableIsAWarning(String variable, String suggestion) {
        assertThat(warnings(Map.of(variable, "1")))
                .containsExactly("Unknown setting, ignored: " + variable + "; did you mean " + suggestion + "?");
    }

    @Test
    void unknownVariableWithoutASimilarOne() {
        assertThat(warnings(Map.of("RATE_LIMIT_COLOUR_OF_THE_SKY", "blue")))
                .containsExactly("Unknown setting, ignored: RATE_LIMIT_COLOUR_OF_THE_SKY");
    }

    @ParameterizedTest
    @CsvSource({"RATE_LIMIT_LLM_OPENAI_BASEURL, RATE_LIMIT_LLM_OPENAI_BASE_URL", "RATE_LIMIT_API_TOKN, RATE_LIMIT_API_TOKEN",
            "RATE_LIMIT_API_KEYS_ALICE_SHA, RATE_LIMIT_API_KEYS_ALICE_SHA256", "RATE_LIMIT_ADMIN_TOKE, RATE_LIMIT_ADMIN_TOKEN",
            "RATE_LIMIT_API_KEYS_BOB_TEIR, RATE_LIMIT_API_KEYS_BOB_TIER", "REDIS_PASSWROD, REDIS_PASSWORD",
            "RATE_LIMIT_LLM_OPENAI_BUDGETS_FREE, RATE_LIMIT_LLM_OPENAI_BUDGET_FREE"})
    void unknownVariableThatWouldOpenSomethingIsAnError(String variable, String suggestion) {
        assertThat(problems(Map.of(variable, "secret")))
                .containsExactly(variable + "=(not shown): Sluice has no such setting; did you mean " + suggestion + "?");
    }

    @ParameterizedTest
    @CsvSource({"RATE_LIMIT_SERVICE_HOST", "RATE_LIMIT_PORT", "RATE_LIMIT_PORT_8080_TCP_ADDR", "REDIS_SERVICE_PORT_TCP_REDIS",
            "REDIS_PORT_6379_TCP", "UPSTREAM_SERVICE_HOST", "RATE_LIMIT_DEFAULTS_PRO", "RATE_LIMIT_API_KEYS_A_B_USER",
            "MY_VARIABLE",
            "RATE_LIMIT_LLM_OPENAI_REQUESTS_FREE", "RATE_LIMIT_LLM_OPENAI_OUTPUT_TOKENS_FREE", "RATE_LIMIT_LLM_FREE_CALLS_PRO",
            "RATE_LIMIT_LLM_OPENAI_CONCURRENCY"})
    void knownVariablesAndServiceLinksAreNotReported(String variable) {
        assertThat(warnings(Map.of(variable, "tcp://10.0.0.1:1"))).isEmpty();
    }

    /** A key with an underscore cannot be told from the next part of the name. */
    @ParameterizedTest
    @CsvSource({"RATE_LIMIT_DEFAULTS_PRO_PLUS, rate-limit.defaults.pro-plus",
            "RATE_LIMIT_LLM_OPENAI_BUDGET_PRO_PLUS, rate-limit.llm.openai.budget.pro-plus",
            "RATE_LIMIT_LLM_OPENAI_INPUT_TOKENS_PRO_PLUS, rate-limit.llm.openai.input-tokens.pro-plus",
            "RATE_LIMIT_LLM_FREE_CALLS_BIG_SPENDER, rate-limit.llm.free-calls.big_spender",
            "RATE_LIMIT_API_KEYS_MOBILE_APP_SHA256, rate-limit.api-keys.mobile-app.sha256",
            "RATE_LIMIT_API_KEYS_A_B_C_TIER, rate-limit.api-keys.a-b-c.tier"})
    void mapKeyOfAVariableMayHaveUnderscores(String variable, String property) {
        var config = config(Map.of(variable, "x", "RATE_LIMIT_TIERS", "free,pro-plus,big_spender"));
        assertThat(config.getPropertyNames()).contains(property);
        assertThat(config.getValue(property, String.class)).isEqualTo("x");
        assertThat(problems(Map.of(variable, "x"))).isEmpty();
    }

    /** The key is known from the file, or quoted by double underscores. */
    @ParameterizedTest
    @CsvSource({"mobile_app, RATE_LIMIT_API_KEYS_MOBILE_APP_SHA256", "Mobile, RATE_LIMIT_API_KEYS_MOBILE_SHA256",
            "mobile-app, RATE_LIMIT_API_KEYS_MOBILE_APP_SHA256"})
    void variableOfAKnownKeyAddsNoOther(String key, String variable) {
        var file = new PropertiesConfigSource(Map.of("rate-limit.api-keys." + key + ".sha256", "a",
                "rate-limit.api-keys." + key + ".user", "b"), "file", 260);
        var names = new ArrayList<String>();
        var config = config(Map.of(variable, "x"), file);
        config.getPropertyNames().forEach(name -> {
            if (name.startsWith("rate-limit.api-keys.") && name.endsWith(".sha256")) {
                names.add(name);
            }
        });
        assertThat(names).containsExactly("rate-limit.api-keys." + key + ".sha256");
        assertThat(config.getConfigValue(names.get(0)).getValue()).isEqualTo("x");
    }

    @Test
    void emptyValueWithAMapKeyIsNotSet() {
        assertThat(config(Map.of("RATE_LIMIT_LLM_OPENAI_REQUESTS_FREE", "")).getPropertyNames())
                .doesNotContain("rate-limit.llm.openai.requests.free");
    }

    @ParameterizedTest
    @CsvSource({"RATE_LIMIT_LLM_OPENAI_MODELS_GPT_4O_REQUESTS_FREE", "RATE_LIMIT_ENDPOINTS___AUTH_LOGIN__FREE",
            "RATE_LIMIT_LLM_OPENAI_PRICES_GPT_4O_INPUT", "RATE_LIMIT_ENDPOINTS_CAMPAIGNS",
            "RATE_LIMIT_LLM_OPENAI_MODELS__GPT_4O__BUDGET_FREE"})
    void variableThatCannotExpressItsNameIsAnError(String variable) {
        assertThat(problems(Map.of(variable, "1"))).singleElement().asString().startsWith(variable + "=(not shown): not by a");
    }

    @Test
    void variableOverridesAPropertyWithAnyName() {
        var file = new PropertiesConfigSource(Map.of("rate-limit.endpoints.\"/auth/login\".free", "1/minute"), "file", 260);
        var environment = Map.of("RATE_LIMIT_ENDPOINTS___AUTH_LOGIN__FREE", "2/minute");
        var config = config(environment, file);
        assertThat(config.getConfigValue("rate-limit.endpoints.\"/auth/login\".free").getValue()).isEqualTo("2/minute");
        assertThat(ConfigValidator.problems(config, environment, new ArrayList<>())).isEmpty();
    }

    /** It would count as not set: a token as none, a budget as unlimited. */
    @ParameterizedTest
    @CsvSource({"rate-limit.api-token", "rate-limit.jwt.audience", "rate-limit.default", "rate-limit.enabled",
            "rate-limit.timeout", "rate-limit.tiers", "rate-limit.llm.openai.base-url", "rate-limit.api-keys.a.sha256",
            "rate-limit.llm.openai.budget.free", "rate-limit.redis.host"})
    void expressionWithoutAValueIsAnError(String property) {
        var file = new PropertiesConfigSource(Map.of(property, "${NO_SUCH_NAME}"), "file", 260);
        assertThat(ConfigValidator.problems(config(Map.of(), file), Map.of(), new ArrayList<>())).singleElement().asString()
                .contains(property).endsWith("NO_SUCH_NAME is not set; set it, or give a default: ${NO_SUCH_NAME:...}");
        assertThat(problems(Map.of("REDIS_HOST", "${NO_SUCH_NAME}"))).singleElement().asString()
                .startsWith("REDIS_HOST").contains("NO_SUCH_NAME is not set");
        var nested = new PropertiesConfigSource(
                Map.of(property, "${NO_SUCH_NAME:${NO_OTHER_NAME:}}", "rate-limit.api-prefix", "${A_NAME:${NO_SUCH_NAME}}"),
                "file",
                260);
        assertThat(ConfigValidator.problems(config(Map.of("A_NAME", "/x"), nested), Map.of(), new ArrayList<>())).isEmpty();
        var withDefault = new PropertiesConfigSource(Map.of(property, "${NO_SUCH_NAME:}"), "file", 260);
        assertThat(ConfigValidator.problems(config(Map.of(), withDefault), Map.of(), new ArrayList<>())).isEmpty();
    }

    @Test
    void elementsOfListsAreKnown() {
        var file = new PropertiesConfigSource(Map.of("rate-limit.exempt[0]", "/a", "rate-limit.exempt[1]", "/b"), "file", 260);
        var warnings = new ArrayList<String>();
        assertThat(ConfigValidator.problems(config(Map.of(), file), Map.of(), warnings)).isEmpty();
        assertThat(warnings).isEmpty();
        assertThat(warnings(Map.of("RATE_LIMIT_EXEMPT_0_", "/a"))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"MP_JWT_VERIFY_PUBLIC_KEY_LOCATION, MP_JWT_VERIFY_PUBLICKEY_LOCATION",
            "SMALLRYE_JWT_VERIFY_SECRET_KEY, SMALLRYE_JWT_VERIFY_SECRETKEY"})
    void misspeltKeyOfJwtsIsAnError(String variable, String suggestion) {
        assertThat(problems(Map.of(variable, "x")))
                .containsExactly(variable + "=(not shown): Sluice has no such setting; did you mean " + suggestion + "?");
    }

    @Test
    void emptySettingOfJwtsIsNotSet() {
        assertThat(config(Map.of("MP_JWT_VERIFY_PUBLICKEY_LOCATION", "")).getConfigValue("mp.jwt.verify.publickey.location")
                .getValue()).isNull();
    }

    @Test
    void dotEnvFileIsCheckedLikeVariables(@TempDir Path directory) throws IOException {
        var file = directory.resolve(".env");
        Files.writeString(file, "RATE_LIMIT_ENABLED=yess\nRATE_LIMIT_ADMIN_TOKEN=\"x y\"\nexport RATE_LIMIT_DRY_RUN=true\n"
                + "RATE_LIMIT_LLM_OPENAI_BASEURL=http://x\nREDIS_HOSTNAME=redis\nREDIS_ARGS=\"--save 60\"\n");
        var config = new SmallRyeConfigBuilder().addDefaultInterceptors().withInterceptors(new SettingInterceptor())
                .withSources(new PropertiesConfigSource(SERVICE, "application.properties", 250))
                .withSources(new DotEnvConfigSourceProvider(file.toUri().toString()).getConfigSources(null)
                        .toArray(new ConfigSource[0]))
                .build();
        var warnings = new ArrayList<String>();
        assertThat(ConfigValidator.problems(config, ConfigValidator.environment(config), warnings)).containsExactlyInAnyOrder(
                ".env:1: RATE_LIMIT_ENABLED: rate-limit.enabled=yess: true or false",
                ".env:2: RATE_LIMIT_ADMIN_TOKEN=(not shown): a value without quotes: in .env they would be part of it",
                ".env=export: lines of the form NAME=value, without export",
                ".env:4: RATE_LIMIT_LLM_OPENAI_BASEURL=(not shown): Sluice has no such setting; did you mean"
                        + " RATE_LIMIT_LLM_OPENAI_BASE_URL?");
        assertThat(warnings).hasSize(2)
                .anySatisfy(warning -> assertThat(warning).contains(".env:5: REDIS_HOSTNAME").contains("REDIS_HOST?"))
                .anySatisfy(warning -> assertThat(warning).contains(".env:6: REDIS_ARGS"));
    }

    @Test
    void emptySecretIsAWarning() {
        assertThat(warnings(Map.of("RATE_LIMIT_API_TOKEN", "")))
                .containsExactly("RATE_LIMIT_API_TOKEN: rate-limit.api-token is empty, which counts as not set");
    }

    /** A key may be quoted or not, and a rule has properties only below its name. */
    @Test
    void problemOfAKeyInAFileNamesItsLine(@TempDir Path directory) throws IOException {
        var file = directory.resolve("application.properties");
        Files.writeString(file,
                "rate-limit.llm.openai.models.gpt-4o.concurrency.pro=x\nrate-limit.rules.y\\ y.free=5/minute\n");
        var problems = new ConfigProblems();
        problems.add("rate-limit.llm.openai.models.\"gpt-4o\".concurrency.pro", "x", "a number");
        problems.add("rate-limit.rules.y y", "(a rule)", "another name");
        problems.add("rate-limit.rules.z", "(a rule)", "another name");
        var config = config(Map.of(), new PropertiesConfigSource(file.toUri().toURL(), 260));
        assertThat(problems.lines(new SettingSource(config, Map.of()))).containsExactly(
                "application.properties:1: rate-limit.llm.openai.models.\"gpt-4o\".concurrency.pro=x: a number",
                "application.properties:2: rate-limit.rules.y y=(a rule): another name",
                "rate-limit.rules.z=(a rule): another name");
    }

    @Test
    void problemInAFileNamesItsLine(@TempDir Path directory) throws IOException {
        var file = directory.resolve("application.properties");
        Files.writeString(file,
                "# settings\nrate-limit.enabled=yess\n\nrate-limit.defualt=5/minute\n%prod.rate-limit.timeout=100\n");
        var source = new PropertiesConfigSource(file.toUri().toURL(), 260);
        var warnings = new ArrayList<String>();
        assertThat(ConfigValidator.problems(config(Map.of(), source), Map.of(), warnings))
                .containsExactly("application.properties:2: rate-limit.enabled=yess: true or false");
        assertThat(warnings).containsExactly(
                "Unknown setting, ignored: application.properties:4: rate-limit.defualt; did you mean rate-limit.default?");
    }
}
