# frozen_string_literal: true

# What honest clients send to the guarded doors. Reconstructed from their public
# sources and from recorded exchanges; all of it must be read.

def honest(name, target, type: nil, body: '', method: 'POST', headers: [])
  add("honest: #{name}", target: target, type: type, body: body, method: method, headers: headers, honest: true)
end

def honest_parts(name, target, parts, boundary:, quote: true, between: '', type: nil, close: "\r\n", headers: [])
  body = parts.map do |key, value|
    key = "\"#{key}\"" if quote
    "--#{boundary}\r\nContent-Disposition: form-data; name=#{key}\r\n#{between}\r\n#{value}\r\n"
  end.join
  honest(name, target, type: type || "multipart/form-data; boundary=#{boundary}", body: "#{body}--#{boundary}--#{close}", headers: headers)
end

APP = [%w[client_name Tusk], ['redirect_uris', 'urn:ietf:wg:oauth:2.0:oob'], ['scopes', 'read write follow push'], ['website', 'https://app.example']].freeze
TOKEN = [%w[grant_type authorization_code], %w[client_id AbC-_1], %w[client_secret sEcReT], ['redirect_uri', 'app://callback'], %w[code c0de]].freeze
SIGN_UP = [%w[username carol], ['email', 'carol+x@good.test'], ['password', 'pä ss&=+%'], %w[agreement true], %w[locale en], ['reason', "I like\r\nit"]].freeze
WEB = [%w[authenticity_token tok3n==], ['user[account_attributes][username]', 'carol'], ['user[email]', 'carol@good.test'], ['user[password]', 'p4ss'],
       ['user[password_confirmation]', 'p4ss'], ['user[confirm_password]', ''], ['user[website]', ''], ['user[date_of_birth(3i)]', '1'], ['user[date_of_birth(2i)]', '2'],
       ['user[date_of_birth(1i)]', '1990'], ['user[invite_request_attributes][text]', 'Hällo'], ['user[invite_code]', ''], ['user[agreement]', '0'], ['user[agreement]', '1'], ['button', '']].freeze
EDIT = [%w[_method put], %w[authenticity_token tok3n==], ['user[email]', 'carol@good.test'], ['user[password]', ''], ['user[password_confirmation]', ''], ['user[current_password]', 'p4ss'], ['button', '']].freeze
OWN_APP = [%w[authenticity_token t], ['doorkeeper_application[name]', 'Mine'], ['doorkeeper_application[website]', ''], ['doorkeeper_application[redirect_uri]', "urn:ietf:wg:oauth:2.0:oob\r\nhttps://a.example"],
           ['doorkeeper_application[scopes][]', ''], ['doorkeeper_application[scopes][]', 'read'], ['doorkeeper_application[scopes][]', 'write'], ['button', '']].freeze

browser = 'application/x-www-form-urlencoded'
encode = ->(pairs) { URI.encode_www_form(pairs) }
doors = { '/api/v1/apps' => APP, '/oauth/token' => TOKEN, '/api/v1/accounts' => SIGN_UP, '/auth' => WEB, '/settings/applications' => OWN_APP,
          '/api/v1/emails/confirmations' => [['email', 'new@good.test']] }
doors.each do |door, pairs|
  honest("browser form, #{door}", door, type: browser, body: encode[pairs])
  honest("urlencoded with charset, #{door}", door, type: 'application/x-www-form-urlencoded; charset=UTF-8', body: encode[pairs])
  honest("curl -d, #{door}", door, type: browser, body: pairs.map { |key, value| "#{key}=#{value.delete('&=+%')}" }.join('&'))
  honest("query only, no body, #{door}", "#{door}?#{encode[pairs]}")
  honest("query only, form type, #{door}", "#{door}?#{encode[pairs]}", type: browser)
  honest("query only, JSON type, #{door}", "#{door}?#{encode[pairs]}", type: 'application/json')
  honest_parts("WebKit FormData, #{door}", door, pairs, boundary: '----WebKitFormBoundary7MA4YWxkTrZu0gW')
  honest_parts("Firefox FormData, #{door}", door, pairs, boundary: '---------------------------9051914041544843365972754266')
  honest_parts("Firefox FormData of late, #{door}", door, pairs, boundary: '----geckoformboundary8f1c3a')
  honest_parts("Python requests, #{door}", door, pairs, boundary: '3c7a9f0e5d2b4c1a8e6f7d9b0a1c2e3f')
  honest_parts("curl -F, #{door}", door, pairs, boundary: '------------------------d74496d66958873e')
  honest_parts("OkHttp, #{door}", door, pairs, boundary: '5b8f8a2e-7d3c-4d1b-9a5e-1f2e3d4c5b6a', between: "Content-Length: 7\r\n")
  honest_parts("Retrofit, #{door}", door, pairs, boundary: '5b8f8a2e-7d3c-4d1b-9a5e-1f2e3d4c5b6a', between: "Content-Transfer-Encoding: binary\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 7\r\n")
  honest_parts("Dart http, #{door}", door, pairs, boundary: 'dart-http-boundary-XyZ+._0', between: "content-type: text/plain; charset=utf-8\r\ncontent-transfer-encoding: binary\r\n")
  honest_parts("dio, #{door}", door, pairs, boundary: '--dio-boundary-1234567890')
  honest_parts("Alamofire, #{door}", door, pairs, boundary: 'alamofire.boundary.1a2b3c4d5e6f7a8b')
  honest_parts("URLSession by hand, #{door}", door, pairs, boundary: 'Boundary-0A1B2C3D-1111-2222-3333-444455556666', close: '')
  honest_parts("AFNetworking, #{door}", door, pairs, boundary: 'Boundary+0xAbCdTyUi')
  honest_parts("quoted boundary, #{door}", door, pairs, boundary: '===============123==', type: 'multipart/form-data; boundary="===============123=="')
  honest_parts("node form-data, #{door}", door, pairs, boundary: '--------------------------515890814546601021194782')
  honest_parts("Apache HttpClient, #{door}", door, pairs, boundary: 'k2ahsXdOKLA4J', between: "Content-Type: text/plain; charset=US-ASCII\r\nContent-Transfer-Encoding: 8bit\r\n") unless encode[pairs].include?('%C3')
  next if encode[pairs].include?('%5B')

  honest("JSON, #{door}", door, type: 'application/json', body: JSON.generate(pairs.to_h))
  honest("JSON with charset, #{door}", door, type: 'application/json; charset=utf-8', body: JSON.pretty_generate(pairs.to_h))
  honest("JSON, ASCII only, #{door}", door, type: 'application/json', body: JSON.generate(pairs.to_h, ascii_only: true))
  honest_parts("ktor and .NET, unquoted names, #{door}", door, pairs, boundary: '8b1f-4c', quote: false)
end
honest('JSON redirect_uris as array', '/api/v1/apps', type: 'application/json',
       body: '{"client_name":"Elk","redirect_uris":["https://elk.example/cb","urn:ietf:wg:oauth:2.0:oob"],"scopes":"read write","website":null}')
honest('form redirect_uris as array', '/api/v1/apps', type: browser, body: 'client_name=x&redirect_uris[]=a%3A%2F%2Fb&redirect_uris[]=c%3A%2F%2Fd')
honest('JSON sign-up', '/api/v1/accounts', type: 'application/json', body: '{"username":"carol","email":"c@good.test","password":"p","agreement":true,"locale":"en","date_of_birth":"1990-01-01","reason":null,"time_zone":"Europe/Berlin"}')
honest('JSON on the web', '/auth', type: 'application/json', body: '{"user":{"email":"c@good.test","account_attributes":{"username":"carol"},"agreement":"1"}}')
honest('empty JSON body', '/api/v1/emails/confirmations', type: 'application/json')
honest('empty JSON object', '/api/v1/emails/confirmations', type: 'application/json', body: '{}')
honest('nothing at all', '/api/v1/emails/confirmations')
honest('empty FormData', '/api/v1/emails/confirmations', type: 'multipart/form-data; boundary=XX', body: "--XX--\r\n")
honest('client credentials, Basic', '/oauth/token', type: browser, body: 'grant_type=client_credentials&scope=read+write', headers: [['Authorization', 'Basic aWQ6c2VjcmV0']])
honest('client credentials, JSON', '/oauth/token', type: 'application/json', body: '{"grant_type":"client_credentials","client_id":"id","client_secret":"s","scope":"read write","redirect_uri":"urn:ietf:wg:oauth:2.0:oob"}')
honest('bearer in the header', '/api/v1/accounts', type: browser, body: encode[SIGN_UP], headers: [['Authorization', 'Bearer abc-_D']])
honest('bearer in the query', "/api/v1/accounts?access_token=abc", type: browser, body: encode[SIGN_UP])
honest('edit form', '/auth', type: browser, body: encode[EDIT])
honest('edit form with files allowed', '/auth', type: 'multipart/form-data; boundary=X',
       body: EDIT.map { |key, value| "--X\r\nContent-Disposition: form-data; name=\"#{key}\"\r\n\r\n#{value}\r\n" }.join + "--X--\r\n")
honest('set-up form', '/auth/setup', type: browser, body: '_method=put&authenticity_token=t&user%5Bemail%5D=a%40b.test&button=')
honest('own app, change', '/settings/applications/12', type: browser, body: encode[[%w[_method patch]] + OWN_APP])
honest('own app, delete', '/settings/applications/12', type: browser, body: '_method=delete&authenticity_token=t')
honest('account, delete', '/auth', type: browser, body: '_method=delete&authenticity_token=t')
honest('PUT', '/auth/setup', type: browser, body: 'user%5Bemail%5D=a%40b.test', method: 'PUT')
honest('sign in', '/auth/sign_in', type: browser, body: 'authenticity_token=t&user%5Bemail%5D=a%40b.test&user%5Bpassword%5D=x&button=')
honest('sign in, second factor', '/auth/sign_in', type: 'application/json', body: '{"user":{"credential":{"id":"x","type":"public-key","response":{"clientDataJSON":"y"},"clientExtensionResults":{}}}}')
honest('confirmation mail again', '/auth/confirmation', type: browser, body: 'authenticity_token=t&user%5Bemail%5D=a%40b.test&button=')
honest('authorize', '/oauth/authorize?client_id=a&redirect_uri=https%3A%2F%2Fx.test%2Fcb&response_type=code&scope=read+write&state=a%3Bb%26c&force_login=false&lang=de', method: 'GET')
honest('authorize, HEAD', '/oauth/authorize?client_id=a&response_type=code', method: 'HEAD')
honest('authorize, yes', '/oauth/authorize', type: browser, body: 'authenticity_token=t&client_id=a&redirect_uri=x%3A%2F%2Fy&state=&response_type=code&scope=read&code_challenge=&code_challenge_method=&nonce=')
honest('authorize, no', '/oauth/authorize', type: browser, body: '_method=delete&client_id=a&redirect_uri=x%3A%2F%2Fy')
honest('sign-up form', '/auth/sign_up', method: 'GET')
honest('sign-up form, accepted', '/auth/sign_up?accept=abc&invite_code=XyZ', method: 'GET')
honest('invite link', '/invite/AbCd2345', method: 'GET')
honest('invite', '/invites', type: browser, body: 'authenticity_token=t&invite%5Bmax_uses%5D=1&invite%5Bexpires_in%5D=1800&invite%5Bautofollow%5D=0&invite%5Bautofollow%5D=1&invite%5Bcomment%5D=&button=')
honest('subscription', '/api/v1/accounts/1/email_subscriptions', type: 'application/json', body: '{"email":"a@b.test"}')
honest('GET with a length of nothing', '/auth/sign_up', method: 'GET', headers: [%w[Content-Length 0]])
