# frozen_string_literal: true

Rails.application.routes.draw do
  # For the tests, not in Mastodon.
  get '/__state', to: 'test_state#show'
  post '/__reset', to: 'test_state#reset'
  post '/__confirm', to: 'test_state#confirm'
  match '/__echo(/*rest)', to: 'test_state#echo', via: :all, format: false

  get '/health', to: 'health#show'

  use_doorkeeper do
    controllers authorizations: 'oauth/authorizations', tokens: 'oauth/tokens'
    skip_controllers :authorized_applications # :applications stay, as on Mastodon before 4.2.6
  end

  devise_scope :user do
    get '/invite/:invite_code', to: 'auth/registrations#new', as: :public_invite
    namespace :auth do
      resource :setup, only: %i[show update], controller: :setup
    end
  end
  devise_for :users, path: 'auth', format: false, controllers: {
    registrations: 'auth/registrations', sessions: 'auth/sessions', confirmations: 'auth/confirmations'
  }

  resources :invites, only: %i[index create destroy]
  namespace(:admin) { resources :invites, only: %i[index create destroy] }
  namespace :settings do
    resources :applications, except: [:edit] do
      member { post :regenerate }
    end
  end

  post '/inbox', to: 'inboxes#create'
  post '/users/:name/inbox', to: 'inboxes#create'

  match '/api/v1/streaming(/*channel)', to: Streams::APP, via: :get, format: false

  namespace :api, format: false do
    namespace :v1 do
      post '/apps', to: 'apps#create'
      get '/apps/verify_credentials', to: 'apps/credentials#show'
      post '/emails/confirmations', to: 'emails/confirmations#create'
      get '/accounts/verify_credentials', to: 'accounts/credentials#show'
      resources :accounts, only: %i[index create show] do
        resources :email_subscriptions, only: :create, controller: 'accounts/email_subscriptions'
      end
      resource :instance, only: :show
      resources :statuses, only: %i[create show]
      resources :media, only: %i[create show]
      get '/timelines/home', to: 'timelines#home'
      get '/timelines/public', to: 'timelines#public_timeline'
    end
    namespace :v2 do
      resource :instance, only: :show
      resources :media, only: :create
    end
  end

  root to: 'health#home'
  match '*unmatched_route', via: :all, to: 'application#raise_not_found', format: false
end
