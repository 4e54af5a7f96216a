import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.cms.AuthEnvelopedData;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EncryptedContentInfo;
import org.bouncycastle.asn1.cms.GCMParameters;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientOperator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyTransAuthEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.InputDecryptor;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;

/**
 * A partner's system in Java with Bouncy Castle: seals notifications for Sallyport and opens what
 * Sallyport sealed. It knows of Sallyport only what docs/protocol.md says.
 *
 * <p>Reads a file of tasks, one a line, of file names in its folder parted by spaces:
 *
 * <pre>
 * open IN OUT recipientCertificate recipientKey signerCertificate
 * seal IN OUT recipientCertificate signerCertificate signerKey with|without   (certificates inside)
 * </pre>
 */
public final class Interop {
  private static final String BC = BouncyCastleProvider.PROVIDER_NAME;

  private final Path folder;

  private Interop(Path folder) {
    this.folder = folder;
  }

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    Interop interop = new Interop(Path.of(arguments[0]));
    for (String line : Files.readAllLines(interop.folder.resolve(arguments[1]))) {
      String[] task = line.split(" ");
      byte[] in = Files.readAllBytes(interop.folder.resolve(task[1]));
      byte[] out =
          switch (task[0]) {
            case "open" -> interop.open(in, task[3], task[4], task[5]);
            case "seal" -> interop.seal(in, task[3], task[4], task[5], task[6].equals("with"));
            default -> throw new IllegalArgumentException(line);
          };
      Files.write(interop.folder.resolve(task[2]), out);
      System.out.println("done " + line);
    }
  }

  private byte[] open(byte[] sealed, String recipient, String key, String signer)
      throws Exception {
    CMSAuthEnvelopedData envelope = new CMSAuthEnvelopedData(sealed);
    Collection<RecipientInformation> found =
        envelope.getRecipientInfos().getRecipients();
    require(found.size() == 1, "one recipient");
    PrivateKey ours = key(key, certificate(recipient));
    RecipientInformation information = found.iterator().next();
    byte[] content;
    if (isElliptic(certificate(recipient))) {
      Agreement agreement = new Agreement(ours);
      agreement.setProvider(BC);
      information.getContent(agreement);
      content = decrypt(sealed, agreement.key);
    } else {
      content = information.getContent(new JceKeyTransAuthEnvelopedRecipient(ours).setProvider(BC));
    }
    CMSSignedData signed = new CMSSignedData(content);
    Collection<SignerInformation> signers = signed.getSignerInfos().getSigners();
    require(signers.size() == 1, "one signer");
    require(
        signers
            .iterator()
            .next()
            .verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider(BC).build(certificate(signer))),
        "the signature holds");
    return (byte[]) signed.getSignedContent().getContent();
  }

  /**
   * Agrees on the content key and leaves the content as it is: Bouncy Castle 1.72 has no recipient
   * for key agreement with authenticated content.
   */
  private static final class Agreement extends JceKeyAgreeRecipient {
    private Key key;

    Agreement(PrivateKey ours) {
      super(ours);
    }

    @Override
    public RecipientOperator getRecipientOperator(
        AlgorithmIdentifier keyEncryption,
        AlgorithmIdentifier contentEncryption,
        SubjectPublicKeyInfo sender,
        ASN1OctetString keyingMaterial,
        byte[] encryptedKey)
        throws CMSException {
      key = extractSecretKey(keyEncryption, contentEncryption, sender, keyingMaterial, encryptedKey);
      return new RecipientOperator(
          new InputDecryptor() {
            @Override
            public AlgorithmIdentifier getAlgorithmIdentifier() {
              return contentEncryption;
            }

            @Override
            public InputStream getInputStream(InputStream encrypted) {
              return encrypted;
            }
          });
    }
  }

  /** AES-GCM, the tag where RFC 5083 puts it. */
  private static byte[] decrypt(byte[] sealed, Key key) throws Exception {
    AuthEnvelopedData envelope =
        AuthEnvelopedData.getInstance(ContentInfo.getInstance(sealed).getContent());
    EncryptedContentInfo encrypted = envelope.getAuthEncryptedContentInfo();
    GCMParameters parameters =
        GCMParameters.getInstance(encrypted.getContentEncryptionAlgorithm().getParameters());
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding", BC);
    cipher.init(
        Cipher.DECRYPT_MODE,
        key,
        new GCMParameterSpec(8 * parameters.getIcvLen(), parameters.getNonce()));
    byte[] start = cipher.update(encrypted.getEncryptedContent().getOctets());
    byte[] end = cipher.doFinal(envelope.getMac().getOctets());
    byte[] whole = Arrays.copyOf(start, start.length + end.length);
    System.arraycopy(end, 0, whole, start.length, end.length);
    return whole;
  }

  private byte[] seal(
      byte[] content, String recipient, String signer, String key, boolean certificatesInside)
      throws Exception {
    X509Certificate ours = certificate(signer);
    CMSSignedDataGenerator signatures = new CMSSignedDataGenerator();
    signatures.addSignerInfoGenerator(
        new JcaSimpleSignerInfoGeneratorBuilder()
            .setProvider(BC)
            .build(isElliptic(ours) ? "SHA256withECDSA" : "SHA256withRSA", key(key, ours), ours));
    if (certificatesInside) {
      signatures.addCertificate(new JcaX509CertificateHolder(ours));
    }
    byte[] signed = signatures.generate(new CMSProcessableByteArray(content), true).getEncoded();

    X509Certificate theirs = certificate(recipient);
    CMSAuthEnvelopedDataGenerator envelopes = new CMSAuthEnvelopedDataGenerator();
    if (isElliptic(theirs)) {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", BC);
      generator.initialize(((ECPublicKey) theirs.getPublicKey()).getParams(), new SecureRandom());
      KeyPair once = generator.generateKeyPair();
      envelopes.addRecipientInfoGenerator(
          new JceKeyAgreeRecipientInfoGenerator(
                  CMSAlgorithm.ECDH_SHA256KDF,
                  once.getPrivate(),
                  once.getPublic(),
                  CMSAlgorithm.AES256_WRAP)
              .addRecipient(theirs)
              .setProvider(BC));
    } else {
      OAEPParameterSpec oaep =
          new OAEPParameterSpec(
              "SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);
      envelopes.addRecipientInfoGenerator(
          new JceKeyTransRecipientInfoGenerator(
                  theirs,
                  new JcaAlgorithmParametersConverter()
                      .getAlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP, oaep))
              .setProvider(BC));
    }
    return envelopes
        .generate(
            new CMSProcessableByteArray(signed),
            (OutputAEADEncryptor)
                new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_GCM).setProvider(BC).build())
        .getEncoded();
  }

  private static boolean isElliptic(X509Certificate certificate) {
    return certificate.getPublicKey() instanceof ECPublicKey;
  }

  private X509Certificate certificate(String name) throws Exception {
    try (var stream = Files.newInputStream(folder.resolve(name))) {
      return (X509Certificate)
          CertificateFactory.getInstance("X.509").generateCertificate(stream);
    }
  }

  /** PKCS #8, not encrypted. */
  private PrivateKey key(String name, X509Certificate certificate) throws Exception {
    List<String> lines = Files.readAllLines(folder.resolve(name));
    byte[] bytes = Base64.getMimeDecoder().decode(String.join("", lines.subList(1, lines.size() - 1)));
    return KeyFactory.getInstance(isElliptic(certificate) ? "EC" : "RSA", BC)
        .generatePrivate(new PKCS8EncodedKeySpec(bytes));
  }

  private static void require(boolean condition, String what) {
    if (!condition) {
      throw new IllegalStateException("not so: " + what);
    }
  }
}
