// The thinnest layer over OpenSSL 3.0 that Swift can import: macros, typed stacks and variadic calls
// become static inline functions; everything else is imported as it is.
#pragma once
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// Keys and memory buffers.
static inline EVP_PKEY *sallyport_generate_ec(const char *curve) { return EVP_EC_gen(curve); }
static inline EVP_PKEY *sallyport_generate_rsa(unsigned int bits) { return EVP_RSA_gen(bits); }
static inline long sallyport_bio_bytes(BIO *bio, char **start) {
  return BIO_get_mem_data(bio, start);
}

// Asks for two extensions in a certificate request; 1 when it worked. The caller keeps them.
static inline int sallyport_request_extend(
    X509_REQ *request, X509_EXTENSION *first, X509_EXTENSION *second) {
  STACK_OF(X509_EXTENSION) *stack = sk_X509_EXTENSION_new_null();
  int done = stack != NULL && sk_X509_EXTENSION_push(stack, first) > 0 &&
             sk_X509_EXTENSION_push(stack, second) > 0 &&
             X509_REQ_add_extensions(request, stack) == 1;
  sk_X509_EXTENSION_free(stack);
  return done;
}

// Certificate stacks. The stack does not own its members.
static inline STACK_OF(X509) *sallyport_certificates(void) { return sk_X509_new_null(); }
static inline int sallyport_certificates_push(STACK_OF(X509) *stack, X509 *certificate) {
  return sk_X509_push(stack, certificate);
}
static inline void sallyport_certificates_free(STACK_OF(X509) *stack) { sk_X509_free(stack); }

// 1 when one of the recipients of an enveloped message is this certificate.
static inline int sallyport_cms_is_for(CMS_ContentInfo *cms, X509 *certificate) {
  STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(cms);
  for (int i = 0; i < sk_CMS_RecipientInfo_num(recipients); i++) {
    CMS_RecipientInfo *recipient = sk_CMS_RecipientInfo_value(recipients, i);
    if (CMS_RecipientInfo_type(recipient) == CMS_RECIPINFO_TRANS) {
      if (CMS_RecipientInfo_ktri_cert_cmp(recipient, certificate) == 0) return 1;
    } else if (CMS_RecipientInfo_type(recipient) == CMS_RECIPINFO_AGREE) {
      STACK_OF(CMS_RecipientEncryptedKey) *keys = CMS_RecipientInfo_kari_get0_reks(recipient);
      for (int j = 0; j < sk_CMS_RecipientEncryptedKey_num(keys); j++)
        if (CMS_RecipientEncryptedKey_cert_cmp(
                sk_CMS_RecipientEncryptedKey_value(keys, j), certificate) == 0)
          return 1;
    }
  }
  return 0;
}
