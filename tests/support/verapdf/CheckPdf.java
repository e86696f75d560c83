import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.util.TreeSet;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Checks each PDF named on standard input against the standard before it; a line for each. */
class CheckPdf {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        BufferedReader names = new BufferedReader(new InputStreamReader(System.in));
        for (String line = names.readLine(); line != null; line = names.readLine()) {
            String[] asked = line.split("\t", 2);
            PDFAFlavour flavour = PDFAFlavour.fromString(asked[0]);
            String name = asked[1];
            try (FileInputStream file = new FileInputStream(name);
                    PDFAParser parser = Foundries.defaultInstance().createParser(file, flavour);
                    PDFAValidator validator =
                            Foundries.defaultInstance().createValidator(flavour, false)) {
                ValidationResult result = validator.validate(parser);
                TreeSet<String> failures = new TreeSet<>();
                for (TestAssertion one : result.getTestAssertions()) {
                    failures.add(one.getRuleId().getClause() + " " + one.getMessage());
                }
                String verdict = result.isCompliant() ? "passes" : "fails " + failures;
                System.out.println(line + "\t" + verdict.replaceAll("\\s+", " "));
            }
        }
    }
}
