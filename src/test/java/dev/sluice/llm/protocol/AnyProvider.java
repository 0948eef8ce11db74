package dev.sluice.llm.protocol;

import java.util.Set;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.providers.ArbitraryProvider;
import net.jqwik.api.providers.TypeUsage;

/** Generates providers for the parameters of properties: one of each type, and one that a configuration adds. */
public final class AnyProvider implements ArbitraryProvider {

    @Override
    public boolean canProvideFor(TypeUsage targetType) {
        return targetType.isOfType(Provider.class);
    }

    @Override
    public Set<Arbitrary<?>> provideFor(TypeUsage targetType, SubtypeProvider subtypeProvider) {
        return Set.of(Arbitraries.of(Provider.OPENAI, Provider.ANTHROPIC, Provider.GEMINI,
                new Provider("groq", ProviderType.OPENAI)));
    }
}
