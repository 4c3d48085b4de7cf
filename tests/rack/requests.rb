# frozen_string_literal: true

# The requests, picked by hand: every trick that a running Mastodon 4.1 or today's
# stack was asked, and what honest clients send (`honest`, at the end of the file).

REQUESTS = []

FORM = 'application/x-www-form-urlencoded'
JSON_TYPE = 'application/json'
GOOD = 'username=carol&email=carol%40good.test&password=password-123&agreement=true&locale=en'
GOOD_JSON = '{"username":"carol","email":"carol@good.test","password":"password-123","agreement":true,"locale":"en"}'

def add(name, body: '', type: nil, method: 'POST', target: '/api/v1/accounts', headers: [], honest: false)
  headers = [['Content-Type', type]] + headers if type
  REQUESTS << { name: name, honest: honest, method: method, target: target, headers: headers, body: body.b }
end

def form(name, body, **rest) = add(name, body: body, type: FORM, **rest)
def json(name, body, **rest) = add(name, body: body, type: JSON_TYPE, **rest)
def query(name, text, **rest) = add(name, target: "/api/v1/accounts?#{text}", **rest)

# A part is a name, or a whole head, and a value.
def multipart(name, parts, boundary: 'XX', type: nil, eol: "\r\n", before: '', after: nil, **rest)
  body = parts.map do |head, value|
    head = "Content-Disposition: form-data; name=\"#{head}\"" unless head.include?(':')
    "--#{boundary}#{eol}#{head}#{eol}#{eol}#{value}#{eol}"
  end.join
  after ||= "--#{boundary}--#{eol}"
  type ||= "multipart/form-data; boundary=#{boundary}"
  add(name, body: before.b + body.b + after.b, type: type, **rest)
end

def part(name, head, value = 'b@good.test') = multipart("part: #{name}", [%w[username carol], [head, value]])

# Content types, over a form and over JSON.
[FORM, 'Application/X-WWW-Form-UrlEncoded', FORM.upcase, "#{FORM}; charset=utf-8", "#{FORM}; charset=utf-16",
 "#{FORM}; charset=iso-8859-1", "#{FORM};", "#{FORM}, x/y", "#{FORM}\t", "#{FORM} extra", "#{FORM};boundary=x",
 'x-www-form-urlencoded', 'application/x-url-encoded', 'multipart/form-data', 'multipart/form-data; boundary=x',
 'multipart/related', 'multipart/related; boundary=x', 'multipart/mixed', 'multipart/mixed; boundary=x',
 'multipart/alternative', 'text/plain', 'application/octet-stream', JSON_TYPE, '', 'garbage!!', 'application', 'application/.', '-a/b',
 'text/html', '*/*', 'application/xml', 'a/b/c', '/', ';', FORM.tr('-', '_')].each do |type|
  add("form body as `#{type}`", body: GOOD, type: type)
  add("empty body as `#{type}`", type: type, target: "/api/v1/accounts?#{GOOD}")
end
['text/json', 'text/x-json', 'application/jsonrequest', JSON_TYPE, 'application/activity+json', 'application/ld+json',
 'application/vnd.api+json', 'application/jrd+json', "#{JSON_TYPE}; charset=utf-8", "#{JSON_TYPE};charset=utf-16",
 'Application/JSON', JSON_TYPE.upcase, "#{JSON_TYPE};", "#{JSON_TYPE} ; x=y", "#{JSON_TYPE}, text/plain",
 "#{JSON_TYPE},", "text/plain, #{JSON_TYPE}", "#{JSON_TYPE}\t", 'application/hal+json', 'application/problem+json',
 'application/manifest+json', 'application/csp-report', "#{JSON_TYPE}+x", 'application/json-patch+json', '*/*',
 'application/xml', 'text/html', 'text/plain', FORM, 'application/ json', 'application/json;;',
 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'].each do |type|
  add("JSON body as `#{type}`", body: GOOD_JSON, type: type)
end
add('form body, no type', body: GOOD)
add('JSON body, no type', body: GOOD_JSON)
%w[PUT PATCH].each do |verb|
  add("form body, no type, #{verb}", body: GOOD, method: verb)
  form("form body, #{verb}", GOOD, method: verb)
  json("JSON body, #{verb}", GOOD_JSON, method: verb)
  multipart("multipart body, #{verb}", [%w[a b]], method: verb)
end
add('no type, query only, PUT', method: 'PUT', target: "/auth?#{GOOD}")
add('two types, form first', body: GOOD_JSON, type: FORM, headers: [['Content-Type', JSON_TYPE]])
add('two types, JSON first', body: GOOD_JSON, type: JSON_TYPE, headers: [['Content-Type', FORM]])
form('GET with a form body', GOOD, method: 'GET')
json('GET with a JSON body', GOOD_JSON, method: 'GET')
add('GET with a query', method: 'GET', target: '/oauth/authorize?client_id=a&response_type=code')
add('HEAD with a query', method: 'HEAD', target: '/oauth/authorize?client_id=a&response_type=code')
add('GET, no query', method: 'GET', target: '/auth/sign_up')

# Content encodings. Rails ignores the header.
%w[gzip deflate identity br IDENTITY x-gzip].each do |coding|
  form("Content-Encoding: #{coding}", GOOD, headers: [['Content-Encoding', coding]])
end
form('Content-Encoding twice', GOOD, headers: [%w[Content-Encoding identity], %w[Content-Encoding gzip]])

# JSON.
{ 'leading white space' => " \r\n\t#{GOOD_JSON}\n", 'trailing garbage' => "#{GOOD_JSON}x",
  'two documents' => GOOD_JSON * 2, 'null' => 'null', 'array' => '[]', 'array of object' => "[#{GOOD_JSON}]",
  'string' => '"x"', 'number' => '1', 'true' => 'true', 'blank' => '  ', 'empty object' => '{}',
  'block comment' => '{"a":/*c*/1}', 'line comment' => "{\"a\":1//c\n}", 'comment at the end' => '{"a":1}/*c*/',
  'single quotes' => "{'a':1}", 'NaN' => '{"a":NaN}', 'Infinity' => '{"a":Infinity}', '-Infinity' => '{"a":-Infinity}',
  'trailing comma' => '{"a":1,}', 'trailing comma in a list' => '{"a":[1,]}', 'BOM' => "\uFEFF{\"a\":1}",
  'NUL in a key' => '{"a\u0000":1,"b":2}', 'raw NUL at the end' => "{\"a\":1}\0", 'form feed' => "\f{\"a\":1}",
  'duplicate key' => '{"email":"a@x.test","email":"b@x.test"}',
  'duplicate key, escaped' => '{"email":"a@x.test","\u0065mail":"b@x.test"}',
  'escaped key' => '{"\u0065mail":"b@x.test"}', 'bracket key' => '{"user[email]":"b@x.test"}',
  'lone high surrogate' => '{"a":"\ud800"}', 'lone low surrogate' => '{"a":"\udc00"}',
  'surrogate and letter' => '{"a":"\ud800\u0041"}', 'surrogate pair' => '{"a":"\ud83d\ude00"}',
  'pair then lone low' => '{"a":"\ud83d\ude00\udc00"}', 'unknown escape' => '{"a":"\q"}', 'slash' => '{"a":"\/"}',
  'escapes' => '{"a":"\b\f\n\r\t\"\\\\"}', 'short escape' => '{"a":"\u00"}', 'raw tab' => "{\"a\":\"x\ty\"}",
  'raw line feed' => "{\"a\":\"x\ny\"}", 'raw control' => "{\"a\":\"x\x01y\"}", 'DEL' => "{\"a\":\"x\x7fy\"}",
  'invalid UTF-8' => "{\"a\":\"\xff\"}", 'invalid UTF-8 in a key' => "{\"\xff\":1}", 'UTF-8' => '{"a":"ä😀"}',
  'overlong' => "{\"a\":\"\xc0\x80\"}", 'UTF-16LE' => GOOD_JSON.encode('UTF-16LE'), 'float' => '{"a":1.50}',
  'exponent' => '{"a":1e3}', 'big exponent' => '{"a":1e400}', 'minus zero' => '{"a":-0}', 'zero' => '{"a":0}',
  'leading zero' => '{"a":01}', 'plus' => '{"a":+1}', 'leading dot' => '{"a":.5}', 'trailing dot' => '{"a":5.}',
  'minus' => '{"a":-}', 'negative' => '{"a":-12}', 'u64' => '{"a":18446744073709551615}',
  'i64' => '{"a":-9223372036854775808}', 'beyond u64' => '{"a":18446744073709551616}',
  'huge integer' => "{\"a\":#{'9' * 400}}", 'hex' => '{"a":0x10}', 'empty key' => '{"":1}',
  'all kinds' => '{"a":null,"b":true,"c":false,"d":12,"e":"x","f":["y",1],"g":{"h":{}},"i":[]}',
  'null in a list' => '{"a":[null,1]}', 'lists in lists' => '{"a":[[1],[]]}', 'objects in lists' => '{"a":[{"b":1}]}',
  'e-mail as array' => '{"email":["b@x.test"]}', 'e-mail as object' => '{"email":{"x":"b@x.test"}}',
  'e-mail as null' => '{"email":null}', 'e-mail as number' => '{"email":12345}', 'e-mail as true' => '{"email":true}',
  'wrapped' => "{\"account\":#{GOOD_JSON}}", '_json' => "{\"_json\":#{GOOD_JSON}}",
  '_method' => '{"_method":"put","a":1}', 'tempfile' => '{"a":{"tempfile":"x","filename":"y"}}',
  'json_class' => '{"json_class":"String","a":1}', 'date' => '{"a":"2020-01-01T00:00:00Z"}',
  'unquoted key' => '{a:1}', 'capital True' => '{"a":True}', 'nothing after colon' => '{"a":}',
  'only a brace' => '{', 'form in JSON' => GOOD }.each { |name, body| json("JSON: #{name}", body) }
[12, 14, 15, 16, 17, 31, 50, 98, 99, 100, 101, 200, 5000].each do |depth|
  json("JSON: lists #{depth} deep", "{\"x\":#{'[' * depth}#{']' * depth},\"email\":\"b@x.test\"}")
  json("JSON: objects #{depth} deep", "#{'{"x":' * depth}1#{'}' * depth}")
end
json('JSON: 1000 keys', "{#{(1..1000).map { |n| "\"k#{n}\":#{n}" }.join(',')}}")
json('JSON: 1100 keys', "{#{(1..1100).map { |n| "\"k#{n}\":#{n}" }.join(',')}}")

# Pairs. Each is tried in a form body, in the query and, with a plain body, beside one.
PAIRS = {
  'plain' => 'email=b%40x.test', 'duplicate' => 'email=a&email=b', 'duplicate, last empty' => 'email=a&email=',
  'duplicate, last without =' => 'email=a&email', 'no =' => 'email', 'empty' => 'email=', 'only =' => '=',
  'empty key' => '=x&a=1', 'two =' => 'email=a=b', 'text then list' => 'email=a&email[]=b',
  'list then text' => 'email[]=b&email=a', 'text then hash' => 'email=a&email[x]=b', 'hash then text' => 'email[x]=b&email=a',
  'null then hash' => 'email&email[x]=b', 'null then list' => 'email&email[]=b', 'list' => 'email[]=b',
  'list of two' => 'email[]=b&email[]=c', 'list of null' => 'email[]', 'list with null' => 'email[]=b&email[]',
  'list of empty' => 'email[]=', 'hash' => 'email[x]=b', 'list then hash' => 'x[]=1&x[a]=1', 'hash then list' => 'x[a]=1&x[]=1',
  'upper case' => 'Email=b', '+ before' => '+email=b', '+ after' => 'email+=b', 'encoded key' => '%65mail=b',
  'double-encoded key' => '%2565mail=b', '[email]' => '[email]=b', 'email]' => 'email]=b', 'email[' => 'email[=b',
  '[]email' => '[]email=b', 'email.' => 'email.=b', 'email%00' => 'email%00=b', 'email%0a' => 'email%0a=b',
  '[]' => '[]=b', '[]null' => '[]', '[[]]' => '[[]]=b', ']' => ']=b', '[' => '[=b', 'account[email]' => 'account[email]=b',
  'user[email]' => 'user[email]=b', 'user%5Bemail%5D' => 'user%5Bemail%5D=b', 'user%5bemail%5d' => 'user%5bemail%5d=b',
  'user%255Bemail' => 'user%255Bemail%255D=b', 'user.email' => 'user.email=b', 'user[email][]' => 'user[email][]=b',
  'user[email][x]' => 'user[email][x]=b', 'user[email]a' => 'user[email]a=b', 'user[[email]]' => 'user[[email]]=b',
  '[user][email]' => '[user][email]=b', 'user]email]' => 'user]email]=b', 'user[email' => 'user[email=b',
  'user[email]]' => 'user[email]]=b', 'user[email]+' => 'user[email]+=b', 'user[]' => 'user[]=b', 'user[][email]' => 'user[][email]=b',
  'user[][email] twice' => 'user[][email]=b&user[][email]=c', 'user[][email][x]' => 'user[][email][x]=b&user[][y]=c',
  'user[][][]' => 'user[][][]=b', 'user[ email]' => 'user[+email]=b', 'user[email ]' => 'user[email+]=b', 'user []' => 'user+[email]=b',
  'user[email](1i)' => 'user[email(1i)]=b', 'deep' => 'user[account_attributes][username]=x', 'two in one hash' => 'user[a]=1&user[b]=2',
  'hash key twice' => 'user[a]=1&user[a]=2', 'agreement' => 'user[agreement]=0&user[agreement]=1', 'user[0][a]' => 'user[0][a]=1',
  'user[a][]b' => 'user[a][]b=1', 'user[a]][b]' => 'user[a]][b]=1', 'user[a[b]]' => 'user[a[b]]=1', 'user[a\n][b]' => 'user[a%0a][b]=1',
  'semicolons' => GOOD.tr('&', ';'), 'semicolon before email' => 'x=1;email=b', 'semicolon and both' => 'email=a;email=b',
  'encoded semicolon' => 'email=a%3Bb', 'empty pairs' => '&&email=b&&', 'question mark' => '?email=b', 'space' => 'a=1&+email=b',
  'bad %' => 'x=%&email=b', 'bad %z' => 'x=%zz&email=b', 'bad % in a key' => '%zz=1&email=b', '%4' => 'x=%4', '%+1' => 'x=%+1',
  'invalid UTF-8' => 'x=%ff&email=b', 'invalid UTF-8 in a key' => '%ff=1&email=b', 'overlong' => 'x=%c0%80', 'UTF-8' => 'x=%C3%A4',
  'UTF-8 key' => '%C3%A4=1', 'NUL value' => 'x=%00&email=b', 'surrogate' => 'x=%ed%a0%80', 'BOM' => '%EF%BB%BFemail=b',
  'controller' => 'controller=x&action=y&format=z', '_method' => '_method=put&a=1', '_method[]' => '_method[]=put',
  '_method[x]' => '_method[x]=put', '_method null' => '_method', '_method empty' => '_method=', 'utf8' => 'utf8=%E2%9C%93&a=1',
  '4096 pairs' => (['a'] * 4096).join('&'), '1024 pairs' => (['a'] * 1024).join('&'), '1025 pairs' => (['a'] * 1025).join('&'), '4097 pairs' => (['a'] * 4097).join('&'),
  'password' => 'user[password]=p%26%3D%2B', 'plus sign' => 'email=a+b%2Bc', 'cr lf' => 'x=a%0D%0Ab', 'tab' => "x=a%09b"
}.freeze
PAIRS.each do |name, text|
  form("form: #{name}", text)
  query("query: #{name}", text) if text.size < 400
  form("both: #{name}", "#{GOOD}&user%5Bx%5D=1", target: "/api/v1/accounts?#{text}") if text.size < 400
  multipart("multipart and query: #{name}", [%w[email carol@good.test]], target: "/x?#{text}") if text.size < 200
end
(13..18).to_a.concat([30, 31, 32, 33, 99, 101, 1000]).each do |depth|
  form("form: #{depth} deep", "x#{'[a]' * (depth - 1)}=1&email=b")
  query("query: #{depth} deep", "x#{'[a]' * (depth - 1)}=1&email=b")
end
form('form: raw space after &', 'a=1& email=b')
form('form: raw spaces', ' a = b c & d=e')
form('form: raw UTF-8', 'x=ä')
form('form: raw invalid UTF-8', "x=\xff")
form('form: NUL at the end', "#{GOOD}\0")
form('form: NUL in the middle', "a=1\0&b=2")
form('form: line feed at the end', "#{GOOD}\n")
form('form: line feed after &', "a=1&\nb=2")
form('form: leading line feed', "\na=1")
form('form: raw BOM', "\uFEFFemail=b")
form('form: JSON in it', GOOD_JSON)
form('form: long key', "#{'k' * 6_000}=1")
form('form: long value', "k=#{'v' * 6_000}")

# Query and body.
form('query beats form', "email=b&#{GOOD}", target: '/api/v1/accounts?email=q')
json('query beats JSON', GOOD_JSON, target: '/api/v1/accounts?email=q')
multipart('query beats multipart', [%w[email b]], target: '/api/v1/accounts?email=q')
form('same value in both', 'email=b', target: '/api/v1/accounts?email=b')
json('same number in both', '{"email":1}', target: '/api/v1/accounts?email=1')
form('shallow merge', 'user[email]=b&user[password]=p', target: '/auth?user[locale]=en')
form('shallow merge, same', 'user[email]=b', target: '/auth?user[email]=b')
form('query adds', 'email=b', target: '/api/v1/accounts?locale=en')
json('query adds to JSON', '{}', target: "/api/v1/accounts?#{GOOD}")
json('query adds to a JSON list', '[1]', target: "/api/v1/accounts?#{GOOD}")
add('junk body, query counts', body: 'junk', type: 'application/octet-stream', target: "/api/v1/accounts?#{GOOD}")
json('junk JSON, query counts not', 'junk', target: "/api/v1/accounts?#{GOOD}")
query('empty query', '')
query('two question marks', 'email=b?x')
query('long query', "x=#{'a' * 9000}")
query('too long query', "x=#{'a' * 11_000}")

# Verbs.
verbs = %w[put PaTcH patch PUT delete get head post options link unlink nonsense trace PUT\ POST] + ['', ' put', "put\n", 'poſt', 'optionſ', 'lın', 'pu\0t']
verbs.each do |verb|
  coded = verb.bytes.map { |byte| format('%%%02x', byte) }.join
  form("form _method=#{verb.inspect}", "_method=#{coded}&a=1", target: '/auth')
  multipart("multipart _method=#{verb.inspect}", [['_method', verb], %w[a 1]], target: '/auth')
  next unless verb.ascii_only? && !verb.include?("\n") && verb.strip == verb

  form("override header #{verb.inspect}", 'a=1', target: '/auth', headers: [['X-HTTP-Method-Override', verb]])
  json("override header #{verb.inspect} and JSON", '{"a":1}', target: '/auth', headers: [['X-HTTP-Method-Override', verb]])
end
form('query _method', 'a=1', target: '/auth?_method=put')
form('_method in both, same', '_method=put', target: '/auth?_method=put')
form('_method post shields', '_method=post', target: '/auth', headers: [%w[X-HTTP-Method-Override PUT]])
form('_method null and header', '_method', target: '/auth', headers: [%w[X-HTTP-Method-Override PUT]])
form('_method empty and header', '_method=', target: '/auth', headers: [%w[X-HTTP-Method-Override PUT]])
form('_method list and header', '_method[]=x', target: '/auth', headers: [%w[X-HTTP-Method-Override PUT]])
form('_method wins over header', '_method=patch', target: '/auth', headers: [%w[X-HTTP-Method-Override DELETE]])
json('JSON _method does not shield', '{"_method":"post"}', target: '/auth', headers: [%w[X-HTTP-Method-Override PUT]])
add('override header, no body', target: '/auth?user[email]=b', headers: [%w[X-HTTP-Method-Override PUT]])
add('override header, no type', target: '/auth', body: 'user[email]=b', headers: [%w[X-HTTP-Method-Override PUT]])
add('_method, no type', target: '/auth', body: '_method=put&user[email]=b')
add('two override headers', target: '/auth', headers: [%w[X-HTTP-Method-Override PUT], %w[X-HTTP-Method-Override PATCH]])
add('X-HTTP-Method', target: '/auth', headers: [%w[X-HTTP-Method PUT]])
%w[GET PUT PATCH].each do |verb|
  add("#{verb} and override header", method: verb, target: '/auth', headers: [%w[X-HTTP-Method-Override POST]])
end
form('PUT with _method', '_method=post', method: 'PUT', target: '/auth')
form('bad form and header', 'a=%zz', target: '/auth', headers: [%w[X-HTTP-Method-Override PUT]])

# Multipart: heads of a part.
disposition = 'Content-Disposition: form-data; '
{ 'plain' => 'name="email"', 'unquoted' => 'name=email', 'single quotes' => "name='email'", 'backslash' => 'name="e\\mail"',
  'escaped brackets' => 'name="user\\[email\\]"', 'brackets' => 'name="user[email]"', 'unquoted brackets' => 'name=user[email]',
  'percent' => 'name="em%61il"', 'percent brackets' => 'name="user%5Bemail%5D"', 'extended' => "name*=utf-8''email",
  'extended after' => "name=\"x\"; name*=utf-8''email", 'two names' => 'name="x"; name="email"', 'two names, other way' => 'name="email"; name="x"',
  'file' => 'name="email"; filename="a"', 'file first' => 'filename="a"; name="email"', 'empty file' => 'name="email"; filename=""',
  'extended file' => "name=\"email\"; filename*=utf-8''a.txt", 'file with a name in it' => 'name="x"; filename="a; name=\\"email\\""',
  'file with a bare name in it' => 'name="x"; filename="a; name=email"', 'file with a colon' => 'filename="a:b"; name="email"',
  'no space' => ['Content-Disposition: form-data;name="email"'][0], 'spaces around =' => 'name = "email"', 'escaped quote' => 'name="ema\\"il"',
  'empty' => 'name=""', 'blank' => 'name=" "', 'upper-case NAME' => 'NAME="email"', 'tab' => "\tname=\"email\"", 'semicolon in name' => 'name="x;email"',
  'name in name' => 'name="x; name=email"', 'colon in name' => 'name="x:email"', 'trailing semicolon' => 'name="email";', 'junk after' => 'name="email"x',
  'other parameter' => 'x=y; name="email"', 'other parameter after' => 'name="email"; x=y', 'no closing quote' => 'name="email',
  'UTF-8 name' => 'name="ä"', 'space in name' => 'name="e mail"', 'long name' => "name=\"#{'n' * 300}\"", 'very long name' => "name=\"#{'n' * 2000}\"",
  'xname' => 'xname="email"', 'list' => 'name="email[]"', 'odd brackets' => 'name="[email]"', 'nothing' => '' }.each do |name, rest|
  part("name: #{name}", rest.start_with?('Content') ? rest : disposition + rest)
end
{ 'lower-case header' => 'content-disposition: form-data; name="email"', 'no space after colon' => 'Content-Disposition:form-data; name="email"',
  'space before colon' => 'Content-Disposition : form-data; name="email"', 'FORM-DATA' => 'Content-Disposition: FORM-DATA; name="email"',
  'attachment' => 'Content-Disposition: attachment; name="email"', 'Content-ID' => 'Content-ID: email', 'Content-ID and name' => "Content-ID: user\r\n#{disposition}name=\"email\"",
  'no name' => 'Content-Disposition: form-data', 'nothing useful' => 'X-Foo: bar', 'only a type' => 'Content-Type: text/plain',
  'folded' => "Content-Disposition: form-data;\r\n name=\"email\"", 'folded name' => "Content-Disposition: form-data; name=\"em\r\n ail\"",
  'two dispositions' => "#{disposition}name=\"x\"\r\n#{disposition}name=\"email\"", 'bare LF in head' => "#{disposition}name=\"x\"\nContent-Disposition: form-data; name=\"email\"",
  'second line with a name' => "#{disposition}name=\"x\"\r\nX-Foo; name=\"email\"", 'name in the type' => "#{disposition}name=\"x\"\r\nContent-Type: text/plain; name=\"email\"",
  'type first' => "Content-Type: text/plain; charset=utf-8\r\n#{disposition}name=\"email\"", 'length' => "#{disposition}name=\"email\"\r\nContent-Length: 11",
  'odd length' => "#{disposition}name=\"email\"\r\nContent-Length: +1", 'unknown header' => "#{disposition}name=\"email\"\r\nX-Foo: bar",
  'binary' => "#{disposition}name=\"email\"\r\nContent-Transfer-Encoding: binary", '8bit' => "#{disposition}name=\"email\"\r\nContent-Transfer-Encoding: 8bit",
  'base64' => "#{disposition}name=\"email\"\r\nContent-Transfer-Encoding: base64", 'quoted-printable' => "#{disposition}name=\"email\"\r\nContent-Transfer-Encoding: quoted-printable",
  'blank line first' => "\r\n#{disposition}name=\"email\"" }.each { |name, head| part(name, head) }
['text/plain', 'text/plain; charset=utf-8', 'text/plain; charset=UTF-8', 'text/plain; charset="utf-8"', 'text/plain;charset=utf-8', 'Text/Plain; Charset=UTF-8',
 'text/plain; charset=us-ascii', 'text/plain; charset=utf-16', 'text/plain; charset=utf-16le', 'text/plain; charset=utf-7', 'text/plain; charset=iso-8859-1',
 'text/plain; charset=iso-2022-jp', 'text/plain; charset=nonsense', 'text/plain; charset', 'text/plain; charset=', 'text/plain; charset=utf-8; charset=utf-16',
 'text/plain;', 'text/plain ', 'application/json', 'application/octet-stream', 'text/html', '', 'x', 'text/plain; charset=IBM037'].each do |type|
  part("type `#{type}`", "#{disposition}name=\"email\"\r\nContent-Type: #{type}")
  part("type `#{type}`, not ASCII", "#{disposition}name=\"email\"\r\nContent-Type: #{type}", 'ä')
end
part('invalid UTF-8', "#{disposition}name=\"email\"", "\xff")
part('NUL', "#{disposition}name=\"email\"", "a\0b")
part('line ends in the value', "#{disposition}name=\"email\"", "a\r\nb\nc\r\n")
part('empty value', "#{disposition}name=\"email\"", '')
part('value like a delimiter', "#{disposition}name=\"email\"", "a\r\n--XY\r\nb")
part('delimiter in a line', "#{disposition}name=\"email\"", "a--XX\r\nb")
part('delimiter and more', "#{disposition}name=\"email\"", "a\r\n--XXY\r\nb")
part('delimiter, padded', "#{disposition}name=\"email\"", "a\r\n--XX \r\nb")
part('closing delimiter in a line', "#{disposition}name=\"email\"", 'a--XX--')

# Multipart: the whole.
two = [%w[username carol], %w[email b@good.test]]
{ 'plain' => {}, 'preamble' => { before: "hello\r\n" }, 'leading CRLF' => { before: "\r\n" }, 'epilogue' => { after: "--XX--\r\nbye" },
  'epilogue with a part' => { after: "--XX--\r\n--XX\r\n#{disposition}name=\"email\"\r\n\r\nc\r\n--XX--\r\n" }, 'line ends behind' => { after: "--XX--\r\n\r\n" },
  'no line end behind' => { after: '--XX--' }, 'only LF behind' => { after: "--XX--\n" }, 'spaces behind' => { after: "--XX--  \r\n" },
  'no final boundary' => { after: '' }, 'final boundary not closing' => { after: "--XX\r\n" }, 'bare LF' => { eol: "\n" }, 'bare CR' => { eol: "\r" },
  'quoted boundary' => { type: 'multipart/form-data; boundary="XX"' }, 'two boundaries' => { type: 'multipart/form-data; boundary=XX; boundary=YY' },
  'two boundaries, other way' => { type: 'multipart/form-data; boundary=YY; boundary=XX' }, 'BOUNDARY' => { type: 'multipart/form-data; BOUNDARY=XX' },
  'xboundary' => { type: 'multipart/form-data; xboundary=XX' }, 'space before =' => { type: 'multipart/form-data; boundary =XX' },
  'space after =' => { type: 'multipart/form-data; boundary= XX' }, 'space after boundary' => { type: 'multipart/form-data; boundary=XX ; charset=utf-8' },
  'no space' => { type: 'multipart/form-data;boundary=XX' }, 'comma' => { type: 'multipart/form-data, boundary=XX' }, 'mixed case' => { type: 'Multipart/Form-Data; boundary=XX' },
  'charset first' => { type: 'multipart/form-data; charset=utf-8; boundary=XX' }, 'charset behind' => { type: 'multipart/form-data; boundary=XX; charset=utf-8' },
  'half quoted' => { type: 'multipart/form-data; boundary="XX' }, 'other boundary' => { type: 'multipart/form-data; boundary=YY' }, 'empty boundary' => { type: 'multipart/form-data; boundary=' },
  'mixed' => { type: 'multipart/mixed; boundary=XX' }, 'related' => { type: 'multipart/related; boundary=XX' }, 'alternative' => { type: 'multipart/alternative; boundary=XX' } }
  .each { |name, how| multipart("multipart: #{name}", two, **how) }
['a' * 70, 'a' * 71, '----', '=_x=', "'()+_./:=?", 'a b', 'boundary', 'boundary=x', '--', 'a--', '.*', '[x]', '(x', 'a,b', '%20'].each do |boundary|
  multipart("multipart: boundary #{boundary[0, 12]} of #{boundary.size}", two, boundary: boundary)
end
multipart('multipart: duplicate', [%w[email a], %w[email b]])
multipart('multipart: kinds', [%w[email a], %w[email[] b]])
multipart('multipart: nested', [%w[user[email] a], %w[user[account_attributes][username] b], %w[l[] 1], %w[l[] 2]])
multipart('multipart: no parts', [])
multipart('multipart: 129 parts', (1..129).map { |n| ["k#{n}", n.to_s] })
multipart('multipart: 300 parts', (1..300).map { |n| ["k#{n}", n.to_s] }, boundary: 'X')
multipart('multipart: charset field', [%w[_charset_ utf-16]] + two)
multipart('multipart: part without its line end', two, after: "--XX\r\n#{disposition}name=\"x\"\r\n\r\n--XX--\r\n")
multipart('multipart: deep', [["x#{'[a]' * 40}", '1']])
add('multipart: only the closing delimiter', body: '--XX--', type: 'multipart/form-data; boundary=XX')
add('multipart: empty body', type: 'multipart/form-data; boundary=XX')
add('multipart: no delimiter', body: 'hello', type: 'multipart/form-data; boundary=XX')
add('multipart: urlencoded without boundary, _method', body: '_method=put&a=1', type: 'multipart/form-data')

require_relative 'honest'
