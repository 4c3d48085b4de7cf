# frozen_string_literal: true

# For the tests: what came to be, and a clean slate. Not in Mastodon.
class TestStateController < ApplicationController
  skip_forgery_protection

  TABLES = %w[accounts users invites oauth_applications oauth_access_grants oauth_access_tokens statuses media_attachments].freeze

  def show
    state = { requests: Journal.reached.values.sum { |statuses| statuses.values.sum }, reached: Journal.reached }
    state.merge!(people).merge!(oauth).merge!(posts)
    state[:journal] = Journal.entries if params[:journal]
    render json: state
  end

  def reset
    TABLES.each { |table| ActiveRecord::Base.connection.execute("DELETE FROM #{table}") }
    ActionMailer::Base.deliveries.clear
    Journal.reset
    InboxesController.reset
    Streams.reset
    render json: {}
  end

  def confirm
    User.find_by!(email: params[:email].to_s.downcase).confirm
    render json: {}
  end

  # Reached with X-Test-Echo too; without it the same answer is given here.
  def echo
    render json: Echo.of(request, 'TestStateController#echo')
  end

  private

  def people
    users = User.includes(:account).order(:id)
    { users: users.map { |user| { username: user.account.username, email: user.email, unconfirmed_email: user.unconfirmed_email, ip: user.sign_up_ip, via: user.via, confirmed: user.confirmed? } },
      mails: ActionMailer::Base.deliveries.size }
  end

  def oauth
    apps = Doorkeeper::Application.order(:id)
    tokens = Doorkeeper::AccessToken.joins(:application)
    { apps: apps.map { |app| { name: app.name, client_id: app.uid, website: app.website, redirect_uri: app.redirect_uri } },
      app_count: apps.count, apps_by_name: apps.reorder(nil).group(:name).count,
      token_count: tokens.count, tokens_by_app: tokens.group('oauth_applications.name').count, grants: Doorkeeper::AccessGrant.count }
  end

  def posts
    { statuses: Status.order(:id).pluck(:text), inbox: InboxesController.counts,
      media: MediaAttachment.order(:id).map { |media| { bytes: media.bytes, sha256: media.sha256 } } }
  end
end
