package dev.sluice.config;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Finds settings that Sluice does not have. Most are warnings. A misspelt secret, and any unknown setting of LLM providers and API
 * keys, is an error: ignored, it would admit callers or send keys to a place that its user meant to exclude.
 */
final class UnknownSettings {

    private static final String UNKNOWN = "Unknown setting, ignored: ";
    private static final int MIN_LENGTH = 8;
    private static final char DOT = '.';
    private static final char UNDERSCORE = '_';
    private static final String VARIABLE_PREFIX = "RATE_LIMIT_";
    /** Prefixes of the service's other variables. */
    private static final List<String> SERVICE_PREFIXES = List.of("REDIS_", "UPSTREAM_");
    /** Variables that Kubernetes sets in each pod for a service that is named like a prefix: {@code REDIS_PORT_6379_TCP_ADDR}. */
    private static final Pattern SERVICE_LINK = Pattern
            .compile(
                    ".*_(SERVICE_HOST|SERVICE_PORT|SERVICE_PORT_.*|PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?)|RATE_LIMIT_PORT|UPSTREAM_PORT");
    /** Names of models that SmallRye Config reads from a variable without a guess. */
    private static final Pattern PLAIN_MODEL = Pattern.compile("rate-limit\\.llm\\.[^\"]*");
    /** {@code rate-limit.exempt[0]} is {@code RATE_LIMIT_EXEMPT_0_}. */
    private static final Pattern LIST_INDEX = Pattern.compile("_[0-9]{1,4}_$");
    private static final Pattern ALWAYS_ERROR = Pattern.compile("rate.limit.(llm|api.keys?)\\..*");
    /** Names that other programs have for settings of Sluice. */
    private static final Map<String, String> SYNONYMS = Map.of(
            "REDIS_URL", "REDIS_HOSTS",
            "REDIS_URI", "REDIS_HOSTS",
            "REDIS_ADDRESS", "REDIS_HOST",
            "REDIS_DATABASE", "REDIS_DB",
            "REDIS_SSL", "REDIS_TLS",
            "REDIS_USER", "REDIS_HOSTS=redis://user:password@host:port",
            "REDIS_USERNAME", "REDIS_HOSTS=redis://user:password@host:port",
            "UPSTREAM_HOST", "UPSTREAM_URL");
    /** Settings of SmallRye JWT, which have words that others separate. */
    private static final Map<String, String> JWT_SYNONYMS = Map.of(
            "MP_JWT_VERIFY_PUBLIC_KEY", "MP_JWT_VERIFY_PUBLICKEY",
            "MP_JWT_VERIFY_PUBLIC_KEY_LOCATION", "MP_JWT_VERIFY_PUBLICKEY_LOCATION",
            "MP_JWT_VERIFY_PUBLIC_KEY_ALGORITHM", "MP_JWT_VERIFY_PUBLICKEY_ALGORITHM",
            "SMALLRYE_JWT_VERIFY_SECRET_KEY", "SMALLRYE_JWT_VERIFY_SECRETKEY");

    private final Set<String> properties;
    private final Set<String> inFiles;
    private final Map<String, String> environment;
    private final SettingSource source;
    private final Set<String> fixedVariables = new HashSet<>();
    private final List<Pattern> variablesWithKeys = new ArrayList<>();
    private final List<String> prefixes = new ArrayList<>(List.of(VARIABLE_PREFIX));

    /**
     * @param inFiles the properties that are not from variables
     * @param isService whether the variables of the service are read
     * @param source describes where a property was set
     */
    UnknownSettings(Set<String> properties, Set<String> inFiles, Map<String, String> environment, boolean isService,
            SettingSource source) {
        this.source = source;
        this.properties = properties;
        this.inFiles = inFiles;
        this.environment = environment;
        Settings.all().forEach(setting -> {
            if (setting.hasPlaceholder()) {
                variablesWithKeys.add(Pattern.compile(setting.variable().replaceAll("<[A-Z0-9_]+>", ".+")));
            } else {
                fixedVariables.add(setting.variable());
            }
            if (setting.alias() != null) {
                fixedVariables.add(setting.alias());
            }
        });
        if (isService) {
            prefixes.addAll(SERVICE_PREFIXES);
        }
    }

    /** @param warnings receives one line for each unknown setting that is not an error */
    void check(ConfigProblems problems, List<String> warnings) {
        var effective = new HashSet<String>();
        properties.forEach(property -> {
            var setting = Settings.find(property);
            if (setting != null && (inFiles.contains(property) || !isGuess(setting, property))) {
                effective.add(Setting.variableOf(property));
            }
        });
        for (var variable : new TreeSet<>(environment.keySet())) {
            if (prefixes.stream().noneMatch(variable::startsWith)) {
                reportMisspeltPrefix(variable, warnings);
                continue;
            }
            if (SERVICE_LINK.matcher(variable).matches()
                    || fixedVariables.contains(LIST_INDEX.matcher(variable).replaceFirst(""))) {
                continue;
            }
            if (variablesWithKeys.stream().noneMatch(known -> known.matcher(variable).matches())) {
                report(variable, UNDERSCORE, problems, warnings);
            } else if (!effective.contains(variable) && !environment.get(variable).isBlank()) {
                problems.add(variable, "(not shown)", "not by a variable, which cannot express this name: write the property in"
                        + " config/application.properties, such as rate-limit.llm.openai.models.\"gpt-4o\".requests.free, or use"
                        + " RATE_LIMIT_FILE");
            }
        }
        JWT_SYNONYMS.forEach((name, meant) -> {
            if (environment.containsKey(name)) {
                problems.add(name, "(not shown)", "Sluice has no such setting; did you mean " + meant + "?");
            }
        });
        var unknown = new TreeSet<String>();
        properties.forEach(property -> {
            // The variables are among the properties too, under names that are guesses.
            if (property.startsWith(RulesDocument.PREFIX) && Settings.find(property) == null
                    && !environment.containsKey(Setting.variable(property.replace('"', UNDERSCORE)))) {
                unknown.add(property);
            }
        });
        unknown.forEach(property -> report(property, DOT, problems, warnings));
    }

    /** Returns whether the name of a model or endpoint, if it is from a variable, may be another one than was meant. */
    private static boolean isGuess(Setting setting, String property) {
        return setting.name().contains("<endpoint>")
                || setting.name().contains("<model>") && !PLAIN_MODEL.matcher(property).matches();
    }

    /** Variables of any program are among these: only a name with a letter or two too many, missing or wrong is reported. */
    private void reportMisspeltPrefix(String variable, List<String> warnings) {
        if (variable.indexOf(UNDERSCORE) > 0) {
            fixedVariables.stream()
                    .filter(known -> known.length() >= MIN_LENGTH && prefixes.stream().anyMatch(known::startsWith)
                            && Math.abs(known.length() - variable.length()) <= 1 && Suggestions.distance(variable, known) == 1)
                    .findFirst()
                    .ifPresent(known -> warnings.add(UNKNOWN + source.describe(variable) + "; did you mean " + known + "?"));
        }
    }

    private void report(String name, char separator, ConfigProblems problems, List<String> warnings) {
        var candidates = Settings.candidates(name, separator);
        var closest = SYNONYMS.containsKey(name)
                ? SYNONYMS.get(name)
                : Suggestions.closest(name, candidates).orElse(null);
        var hint = closest == null ? "" : "; did you mean " + closest + "?";
        if (ALWAYS_ERROR.matcher(name.toLowerCase(Locale.ROOT).replace(UNDERSCORE, DOT)).matches()
                || !SYNONYMS.containsKey(name) && isSecret(closest, separator)) {
            problems.add(name, "(not shown)", "Sluice has no such setting" + hint);
        } else {
            warnings.add(UNKNOWN + source.describe(name) + hint);
        }
    }

    private static boolean isSecret(String name, char separator) {
        return name != null && Settings.all().filter(Setting::isSecret)
                .anyMatch(setting -> separator == DOT
                        ? setting.name().equals(name)
                        : name.equals(setting.alias())
                                || Pattern.matches(setting.variable().replaceAll("<[A-Z0-9_]+>", ".+"), name));
    }
}
